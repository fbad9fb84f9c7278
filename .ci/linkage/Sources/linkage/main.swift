import SslSockets

// Uses a socket and every backend there is, so that nothing is left out by the linker for want of use.
for name in SslBackends.available {
    var configuration = SslConfiguration()
    configuration.backend = name
    try configuration.validate(for: .client)
    print(name, SslSocket(configuration: configuration).state)
}
