/* What Swift cannot import from OpenSSL's headers by itself: macros. */
#ifndef CSSLOPENSSL_SHIM_H
#define CSSLOPENSSL_SHIM_H
#include <openssl/async.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#endif
