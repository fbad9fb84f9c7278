/* What Swift cannot import from GnuTLS's headers by itself: macros that are also enumerations, and variables that are functions. */
#ifndef CSSLGNUTLS_SHIM_H
#define CSSLGNUTLS_SHIM_H
#include <gnutls/gnutls.h>
#include <gnutls/pkcs12.h>
#include <gnutls/x509.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/dtls.h>
#include <gnutls/ocsp.h>
#include <errno.h>
#include <string.h>

/* Flags of gnutls_init. Several are a macro and an enumerator of the same name, which Swift finds ambiguous. */
static inline unsigned int sslgnutls_client(void) { return GNUTLS_CLIENT; }
static inline unsigned int sslgnutls_server(void) { return GNUTLS_SERVER; }
static inline unsigned int sslgnutls_datagram(void) { return GNUTLS_DATAGRAM; }
static inline unsigned int sslgnutls_no_tickets(void) { return GNUTLS_NO_TICKETS; }
static inline unsigned int sslgnutls_post_handshake_auth(void) { return GNUTLS_POST_HANDSHAKE_AUTH; }
/* What every session has: it never blocks nor signals, sends the certificate its user chose, one key share, and tickets on demand.
   GNUTLS_NO_EXTENSIONS, which would leave out the unused OCSP request, also takes away the extended master secret. */
static inline unsigned int sslgnutls_common(void) {
    return GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_FORCE_CLIENT_CERT | GNUTLS_KEY_SHARE_TOP | GNUTLS_NO_AUTO_SEND_TICKET;
}

/* gnutls_free and gnutls_malloc are variables that hold functions. */
static inline void sslgnutls_free(void *memory) { gnutls_free(memory); }
/* A copy that the library will free. */
static inline int sslgnutls_copy(gnutls_datum_t *target, const void *bytes, size_t length) {
    if (target == NULL) return GNUTLS_E_INVALID_REQUEST;
    target->data = (unsigned char *)gnutls_malloc(length == 0 ? 1 : length);
    if (target->data == NULL) return GNUTLS_E_MEMORY_ERROR;
    if (length > 0) memcpy(target->data, bytes, length);
    target->size = (unsigned int)length;
    return 0;
}
static inline void sslgnutls_wipe_and_free(gnutls_datum_t *datum) {
    if (datum->data != NULL) {
        gnutls_memset(datum->data, 0, datum->size);
        gnutls_free(datum->data);
    }
    datum->data = NULL;
    datum->size = 0;
}

/* A group of RFC 7919; the library has them as variables. */
static inline int sslgnutls_named_dh(gnutls_dh_params_t params, int bits) {
    if (bits >= 3072)
        return gnutls_dh_params_import_raw3(
            params, &gnutls_ffdhe_3072_group_prime, &gnutls_ffdhe_3072_group_q, &gnutls_ffdhe_3072_group_generator);
    return gnutls_dh_params_import_raw3(
        params, &gnutls_ffdhe_2048_group_prime, &gnutls_ffdhe_2048_group_q, &gnutls_ffdhe_2048_group_generator);
}

/* Macros with arguments or casts. */
static inline unsigned sslgnutls_asks_for_signature(void) { return GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO; }
static inline unsigned sslgnutls_asked_signature(unsigned flags) { return GNUTLS_FLAGS_TO_SIGN_ALGO(flags); }
static inline unsigned int sslgnutls_any_message(void) { return GNUTLS_HANDSHAKE_ANY; }
static inline unsigned int sslgnutls_curve_bits(gnutls_ecc_curve_t curve) { return GNUTLS_CURVE_TO_BITS(curve); }
/* Security level 2 (112 bits) for chains; time, purpose and critical extensions are checked elsewhere. */
static inline unsigned int sslgnutls_path_flags(void) {
    return GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM) | GNUTLS_VERIFY_DISABLE_TIME_CHECKS
        | GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS | GNUTLS_VERIFY_DISABLE_CRL_CHECKS
        | GNUTLS_VERIFY_IGNORE_UNKNOWN_CRIT_EXTENSIONS;
}
/* Only the octets of one signature: nothing else about the two certificates is judged. */
static inline unsigned int sslgnutls_signature_flags(void) {
    return GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS | GNUTLS_VERIFY_DISABLE_CRL_CHECKS
        | GNUTLS_VERIFY_DISABLE_CA_SIGN | GNUTLS_VERIFY_ALLOW_BROKEN | GNUTLS_VERIFY_ALLOW_SIGN_WITH_SHA1
        | GNUTLS_VERIFY_ALLOW_ANY_X509_V1_CA_CRT | GNUTLS_VERIFY_IGNORE_UNKNOWN_CRIT_EXTENSIONS
        | GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_VERY_WEAK);
}

#endif
