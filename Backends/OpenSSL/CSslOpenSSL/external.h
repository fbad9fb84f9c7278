/*
 * Private keys that live elsewhere. OpenSSL 3 signs through providers only, so this is one: it has keys whose public half is an ordinary key,
 * and whose signatures are made by a function of the program. It is loaded into a library context of its own, where nobody else can come upon it.
 */
#ifndef CSSLOPENSSL_EXTERNAL_H
#define CSSLOPENSSL_EXTERNAL_H
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Signs `input` into `signature`, which has `room` octets; returns how many it wrote, 0 when it failed. `digest` is the name of the hash in OpenSSL's
   words, empty for keys that have their own; `is_hashed` tells that `input` is the hash already. */
typedef size_t (*sslopenssl_sign_function)(
    void *user, const char *digest, int is_pss, int is_hashed, const unsigned char *input, size_t length, unsigned char *signature,
    size_t room);

typedef struct {
    EVP_PKEY *open;
    void *user;
    sslopenssl_sign_function sign;
    void (*release)(void *user);
} sslopenssl_external;

#define SSLOPENSSL_EXTERNAL_PARAM "sslsocket-external"

/* MARK: Key management */

static inline void *sslopenssl_external_new(void *provider) {
    (void)provider;
    return calloc(1, sizeof(sslopenssl_external));
}
static inline void sslopenssl_external_free(void *data) {
    sslopenssl_external *key = (sslopenssl_external *)data;
    if (key == NULL) return;
    EVP_PKEY_free(key->open);
    if (key->release != NULL) key->release(key->user);
    free(key);
}
static inline int sslopenssl_external_has(const void *data, int selection) {
    (void)selection;
    return ((const sslopenssl_external *)data)->open != NULL;
}
static inline int sslopenssl_external_match(const void *one, const void *other, int selection) {
    (void)selection;
    return EVP_PKEY_eq(((const sslopenssl_external *)one)->open, ((const sslopenssl_external *)other)->open) == 1;
}
static inline int sslopenssl_external_import(void *data, int selection, const OSSL_PARAM params[]) {
    sslopenssl_external *key = (sslopenssl_external *)data, *source = NULL;
    const OSSL_PARAM *found = OSSL_PARAM_locate_const(params, SSLOPENSSL_EXTERNAL_PARAM);
    const void *octets = NULL;
    size_t length = 0;
    (void)selection;
    if (found == NULL || !OSSL_PARAM_get_octet_string_ptr(found, &octets, &length) || length != sizeof source) return 0;
    memcpy(&source, octets, sizeof source);
    if (!EVP_PKEY_up_ref(source->open)) return 0;
    *key = *source;
    /* From here on this key is the owner. */
    source->release = NULL;
    return 1;
}
static inline const OSSL_PARAM *sslopenssl_external_import_types(int selection) {
    static const OSSL_PARAM types[] = {OSSL_PARAM_octet_string(SSLOPENSSL_EXTERNAL_PARAM, NULL, 0), OSSL_PARAM_END};
    (void)selection;
    return types;
}
/* Only the public half leaves. */
static inline int sslopenssl_external_export(void *data, int selection, OSSL_CALLBACK *take, void *argument) {
    OSSL_PARAM *params = NULL;
    int result;
    if (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) return 0;
    if (EVP_PKEY_todata(((sslopenssl_external *)data)->open, EVP_PKEY_PUBLIC_KEY, &params) != 1) return 0;
    result = take(params, argument);
    OSSL_PARAM_free(params);
    return result;
}
static inline const OSSL_PARAM *sslopenssl_external_export_types(int selection) {
    static const OSSL_PARAM types[] = {
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
        OSSL_PARAM_END,
    };
    return selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY ? NULL : types;
}
static inline int sslopenssl_external_get_params(void *data, OSSL_PARAM params[]) {
    return EVP_PKEY_get_params(((sslopenssl_external *)data)->open, params);
}
static inline const OSSL_PARAM *sslopenssl_external_gettable_params(void *provider) {
    static const OSSL_PARAM types[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_END,
    };
    (void)provider;
    return types;
}
static inline const char *sslopenssl_external_rsa_operation(int operation) { return operation == OSSL_OP_SIGNATURE ? "RSA" : NULL; }
static inline const char *sslopenssl_external_ec_operation(int operation) { return operation == OSSL_OP_SIGNATURE ? "ECDSA" : NULL; }

/* MARK: Signatures */

typedef struct {
    sslopenssl_external *key;
    char digest[32];
    int is_pss;
} sslopenssl_signing;

static inline void *sslopenssl_signing_new(void *provider, const char *properties) {
    (void)provider;
    (void)properties;
    return calloc(1, sizeof(sslopenssl_signing));
}
static inline void sslopenssl_signing_free(void *data) { free(data); }
static inline void *sslopenssl_signing_copy(void *data) {
    sslopenssl_signing *copy = (sslopenssl_signing *)malloc(sizeof *copy);
    if (copy != NULL) *copy = *(sslopenssl_signing *)data;
    return copy;
}
static inline int sslopenssl_signing_set_params(void *data, const OSSL_PARAM params[]) {
    sslopenssl_signing *signing = (sslopenssl_signing *)data;
    const OSSL_PARAM *mode = params == NULL ? NULL : OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE);
    const OSSL_PARAM *hash = params == NULL ? NULL : OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_DIGEST);
    if (hash != NULL && hash->data != NULL) {
        if (hash->data_type != OSSL_PARAM_UTF8_STRING || strlen((const char *)hash->data) >= sizeof signing->digest) return 0;
        strcpy(signing->digest, (const char *)hash->data);
    }
    if (mode == NULL) return 1;
    if (mode->data_type == OSSL_PARAM_INTEGER) {
        int number = 0;
        if (!OSSL_PARAM_get_int(mode, &number)) return 0;
        signing->is_pss = number == RSA_PKCS1_PSS_PADDING;
        return signing->is_pss || number == RSA_PKCS1_PADDING;
    }
    if (mode->data_type == OSSL_PARAM_UTF8_STRING && mode->data != NULL) {
        signing->is_pss = strcasecmp((const char *)mode->data, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0;
        return signing->is_pss || strcasecmp((const char *)mode->data, OSSL_PKEY_RSA_PAD_MODE_PKCSV15) == 0;
    }
    return 0;
}
static inline const OSSL_PARAM *sslopenssl_signing_settable_params(void *data, void *provider) {
    static const OSSL_PARAM types[] = {
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, NULL, 0),
        OSSL_PARAM_END,
    };
    (void)data;
    (void)provider;
    return types;
}
static inline int sslopenssl_signing_start(void *data, const char *digest, void *key, const OSSL_PARAM params[]) {
    sslopenssl_signing *signing = (sslopenssl_signing *)data;
    if (key != NULL) signing->key = (sslopenssl_external *)key;
    if (digest != NULL) {
        if (strlen(digest) >= sizeof signing->digest) return 0;
        strcpy(signing->digest, digest);
    }
    if (EVP_PKEY_is_a(signing->key->open, "RSA-PSS")) signing->is_pss = 1;
    return sslopenssl_signing_set_params(data, params);
}
static inline int sslopenssl_signing_start_hashed(void *data, void *key, const OSSL_PARAM params[]) {
    return sslopenssl_signing_start(data, NULL, key, params);
}
static inline int sslopenssl_signing_make(
    sslopenssl_signing *signing, int is_hashed, unsigned char *signature, size_t *length, size_t room, const unsigned char *input,
    size_t count) {
    sslopenssl_external *key = signing->key;
    if (signature == NULL) {
        *length = (size_t)EVP_PKEY_get_size(key->open);
        return 1;
    }
    *length = key->sign(key->user, signing->digest, signing->is_pss, is_hashed, input, count, signature, room);
    return *length > 0;
}
static inline int sslopenssl_signing_finish(
    void *data, unsigned char *signature, size_t *length, size_t room, const unsigned char *message, size_t count) {
    return sslopenssl_signing_make((sslopenssl_signing *)data, 0, signature, length, room, message, count);
}
static inline int sslopenssl_signing_finish_hashed(
    void *data, unsigned char *signature, size_t *length, size_t room, const unsigned char *hash, size_t count) {
    return sslopenssl_signing_make((sslopenssl_signing *)data, 1, signature, length, room, hash, count);
}

/* MARK: The provider */

static inline const OSSL_ALGORITHM *sslopenssl_external_query(void *provider, int operation, int *no_cache) {
#define SSLOPENSSL_EXTERNAL_KEYS \
    {OSSL_FUNC_KEYMGMT_NEW, (void (*)(void))sslopenssl_external_new}, \
    {OSSL_FUNC_KEYMGMT_FREE, (void (*)(void))sslopenssl_external_free}, \
    {OSSL_FUNC_KEYMGMT_HAS, (void (*)(void))sslopenssl_external_has}, \
    {OSSL_FUNC_KEYMGMT_MATCH, (void (*)(void))sslopenssl_external_match}, \
    {OSSL_FUNC_KEYMGMT_IMPORT, (void (*)(void))sslopenssl_external_import}, \
    {OSSL_FUNC_KEYMGMT_IMPORT_TYPES, (void (*)(void))sslopenssl_external_import_types}, \
    {OSSL_FUNC_KEYMGMT_EXPORT, (void (*)(void))sslopenssl_external_export}, \
    {OSSL_FUNC_KEYMGMT_EXPORT_TYPES, (void (*)(void))sslopenssl_external_export_types}, \
    {OSSL_FUNC_KEYMGMT_GET_PARAMS, (void (*)(void))sslopenssl_external_get_params}, \
    {OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, (void (*)(void))sslopenssl_external_gettable_params}
    static const OSSL_DISPATCH rsa_keys[] = {
        SSLOPENSSL_EXTERNAL_KEYS,
        {OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, (void (*)(void))sslopenssl_external_rsa_operation},
        {0, NULL},
    };
    static const OSSL_DISPATCH ec_keys[] = {
        SSLOPENSSL_EXTERNAL_KEYS,
        {OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, (void (*)(void))sslopenssl_external_ec_operation},
        {0, NULL},
    };
    static const OSSL_DISPATCH other_keys[] = {SSLOPENSSL_EXTERNAL_KEYS, {0, NULL}};
#undef SSLOPENSSL_EXTERNAL_KEYS
    static const OSSL_DISPATCH signatures[] = {
        {OSSL_FUNC_SIGNATURE_NEWCTX, (void (*)(void))sslopenssl_signing_new},
        {OSSL_FUNC_SIGNATURE_FREECTX, (void (*)(void))sslopenssl_signing_free},
        {OSSL_FUNC_SIGNATURE_DUPCTX, (void (*)(void))sslopenssl_signing_copy},
        {OSSL_FUNC_SIGNATURE_SIGN_INIT, (void (*)(void))sslopenssl_signing_start_hashed},
        {OSSL_FUNC_SIGNATURE_SIGN, (void (*)(void))sslopenssl_signing_finish_hashed},
        {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, (void (*)(void))sslopenssl_signing_start},
        {OSSL_FUNC_SIGNATURE_DIGEST_SIGN, (void (*)(void))sslopenssl_signing_finish},
        {OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, (void (*)(void))sslopenssl_signing_set_params},
        {OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, (void (*)(void))sslopenssl_signing_settable_params},
        {0, NULL},
    };
    static const OSSL_ALGORITHM key_kinds[] = {
        {"RSA:rsaEncryption:1.2.840.113549.1.1.1", "provider=sslsocket", rsa_keys, NULL},
        {"RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10", "provider=sslsocket", rsa_keys, NULL},
        {"EC:id-ecPublicKey:1.2.840.10045.2.1", "provider=sslsocket", ec_keys, NULL},
        {"ED25519:1.3.101.112", "provider=sslsocket", other_keys, NULL},
        {"ED448:1.3.101.113", "provider=sslsocket", other_keys, NULL},
        {NULL, NULL, NULL, NULL},
    };
    static const OSSL_ALGORITHM signature_kinds[] = {
        {"RSA:rsaEncryption:1.2.840.113549.1.1.1", "provider=sslsocket", signatures, NULL},
        {"ECDSA", "provider=sslsocket", signatures, NULL},
        {"ED25519:1.3.101.112", "provider=sslsocket", signatures, NULL},
        {"ED448:1.3.101.113", "provider=sslsocket", signatures, NULL},
        {NULL, NULL, NULL, NULL},
    };
    (void)provider;
    *no_cache = 0;
    return operation == OSSL_OP_KEYMGMT ? key_kinds : operation == OSSL_OP_SIGNATURE ? signature_kinds : NULL;
}
static inline int sslopenssl_external_init(
    const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out, void **provider) {
    static const OSSL_DISPATCH functions[] = {
        {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))sslopenssl_external_query},
        {0, NULL},
    };
    (void)in;
    *provider = (void *)core;
    *out = functions;
    return 1;
}

/* A library context in which such keys can be made; NULL when there is none to be had. */
static inline OSSL_LIB_CTX *sslopenssl_external_library(void) {
    OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();
    if (library != NULL && OSSL_PROVIDER_add_builtin(library, "sslsocket", sslopenssl_external_init) == 1
        && OSSL_PROVIDER_load(library, "default") != NULL && OSSL_PROVIDER_load(library, "sslsocket") != NULL)
        return library;
    OSSL_LIB_CTX_free(library);
    return NULL;
}
/* A key whose public half is `open`. `release` is called with `user` when the key goes, and at once when none can be made. */
static inline EVP_PKEY *sslopenssl_external_key(
    OSSL_LIB_CTX *library, EVP_PKEY *open, void *user, sslopenssl_sign_function sign, void (*release)(void *user)) {
    sslopenssl_external source = {open, user, sign, release}, *place = &source;
    const char *kind = EVP_PKEY_get0_type_name(open);
    EVP_PKEY_CTX *maker = kind == NULL ? NULL : EVP_PKEY_CTX_new_from_name(library, kind, "provider=sslsocket");
    EVP_PKEY *key = NULL;
    OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(SSLOPENSSL_EXTERNAL_PARAM, &place, sizeof place), OSSL_PARAM_END};
    if (maker == NULL || EVP_PKEY_fromdata_init(maker) != 1 || EVP_PKEY_fromdata(maker, &key, EVP_PKEY_KEYPAIR, params) != 1) key = NULL;
    EVP_PKEY_CTX_free(maker);
    if (source.release != NULL) release(user);
    return key;
}
#endif
