/* What Swift cannot import from GnuTLS's headers by itself: macros that are also enumerations, and variables that are functions. */
#ifndef CSSLGNUTLS_SHIM_H
#define CSSLGNUTLS_SHIM_H
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/dtls.h>
#include <gnutls/ocsp.h>
#include <errno.h>
#include <string.h>

#endif
