public import ArgumentParser
public import SslSockets

extension SslStartTls: ExpressibleByArgument {}
