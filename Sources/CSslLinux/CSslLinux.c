#include "CSslLinux.h"
/* SwiftPM wants a source file in every C target. */
