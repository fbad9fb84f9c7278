internal import Glibc
internal import SslSockets

/// Keeps a client's session in a file between one run and the next.
struct SessionKeeper {
    private let path: String
    private let latest = Lock<SslSessionTicket?>(nil)
    /// What the file held; nil when there is none.
    let ticket: SslSessionTicket?

    /// Reads the file. One that is not there is made later.
    init(_ path: String) throws(ToolFailure) {
        self.path = path
        do throws(SslSocketError) {
            var octets = try FileReader.read(path)
            defer { octets.wipe() }
            ticket = try SslSessionTicket(exported: SecretBytes(octets))
        } catch {
            guard error.systemError == 2 else { throw ToolFailure(.unreadable, "\(path): \(error)") }
            ticket = nil
        }
    }

    /// Notes the tickets that come.
    func attach(to socket: SslSocket) {
        let latest = latest
        socket.newSessionTicketReceived.connect { socket in
            let ticket = socket.sessionTicket
            latest.withLock { $0 = ticket }
        }
    }

    /// Writes the last ticket that came, if one did.
    func save() throws(ToolFailure) {
        guard let ticket = latest.withLock({ $0 }) else { return }
        var octets = ticket.exported.copy
        defer { octets.wipe() }
        // As a whole: whoever reads it meanwhile has the one or the other.
        let fresh = "\(path).\(UInt64.random(in: .min ... .max))"
        try FileWriter.write(octets, to: fresh, isSecret: true)
        guard unsafe rename(fresh, path) == 0 else {
            let code = errno
            unsafe unlink(fresh)
            throw ToolFailure(.unreadable, "cannot write the file \(path): \(Console.reason(code))")
        }
    }
}
