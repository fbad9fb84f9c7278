/* Nettle, and GMP below it, serve only what GnuTLS's public interface lacks: the ciphers of old encrypted PEM keys, and the check of
   Diffie-Hellman parameters. */
#ifndef CSSLNETTLE_SHIM_H
#define CSSLNETTLE_SHIM_H
#include <gmp.h>
#include <nettle/arctwo.h>
#include <nettle/des.h>
#include <nettle/cbc.h>
#include <nettle/md5.h>

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
#endif
