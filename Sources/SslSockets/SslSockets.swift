// Applications import one module: the plain values come with it.
@_exported public import SslValues
