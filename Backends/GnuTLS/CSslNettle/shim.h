/* Nettle, and GMP below it, serve only what GnuTLS's public interface lacks: RC2, which old encrypted PEM keys use, and the check of
   Diffie-Hellman parameters. */
#ifndef CSSLNETTLE_SHIM_H
#define CSSLNETTLE_SHIM_H
#include <gmp.h>
#include <nettle/arctwo.h>
#include <nettle/cbc.h>
#include <stdint.h>
#include <string.h>

/* 1 when a big-endian number and half of it are prime: Baillie-PSW, and 40 rounds of Miller-Rabin, 2^-80. */
static inline int sslnettle_is_safe_prime(const unsigned char *bytes, size_t count) {
    mpz_t number;
    int result;
    mpz_init(number);
    mpz_import(number, count, 1, 1, 1, 0, bytes);
    result = mpz_probab_prime_p(number, 64) != 0;
    if (result) {
        mpz_fdiv_q_2exp(number, number, 1);
        result = mpz_probab_prime_p(number, 64) != 0;
    }
    mpz_clear(number);
    return result;
}

/* RC2 in CBC mode (RFC 2268) over `length` octets in place, a multiple of 8; `bits` are those that count of the key. */
static inline void sslnettle_rc2_cbc(
    int encrypts, const void *key, size_t key_length, unsigned bits, const void *vector, void *text, size_t length) {
    struct arctwo_ctx context;
    uint8_t chain[ARCTWO_BLOCK_SIZE];
    arctwo_set_key_ekb(&context, key_length, (const uint8_t *)key, bits);
    memcpy(chain, vector, sizeof chain);
    if (encrypts)
        cbc_encrypt(&context, (nettle_cipher_func *)arctwo_encrypt, sizeof chain, chain, length, (uint8_t *)text, (const uint8_t *)text);
    else
        cbc_decrypt(&context, (nettle_cipher_func *)arctwo_decrypt, sizeof chain, chain, length, (uint8_t *)text, (const uint8_t *)text);
    explicit_bzero(&context, sizeof context);
}
#endif
