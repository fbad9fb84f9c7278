import Glibc
import SslSockets

/// Puts a server of its own, in another process, under load, and tells what came of it: one line of JSON.
///
///     sslsocket-load silent 2000      so many clients that say nothing, and a good one among them
///     sslsocket-load hold 10000       so many connections at once: memory of the server for each
///     sslsocket-load churn 100000     so many connections one after the other: growth of memory and descriptors
///
/// `--backend NAME` chooses the engine of both ends, `--tls 1.2` the version, `--resume` resumes sessions, `--key FILE --cert FILE` name the server's
/// credentials.
@main
struct Program {
    static func main() async {
        raiseDescriptorLimit()
        let options = Options(CommandLine.arguments)
        do throws(SslSocketError) {
            switch options.work {
            case .serve: try await LoadServer(options).run()
            case .silent: try await silent(options)
            case .hold: try await hold(options)
            case .churn: try await churn(options)
            }
        } catch {
            die("\(error)")
        }
    }

    /// As many open files as the process may have at all.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    // MARK: The loads

    /// The good client is served while every silent one is still there.
    private static func silent(_ options: Options) async throws(SslSocketError) {
        let server = Child(options)
        var clients: [SslSocket] = []
        for _ in 0..<options.count {
            let socket = SslSocket()
            socket.connectToHost("127.0.0.1", port: server.port)
            if await !socket.waitForConnected() { die("connecting: \(socket.errorString)") }
            clients.append(socket)
        }
        let before = server.memory
        let good = try await Client(options, server.port).talk(nil)
        await good.finish()
        var left = 0
        for client in clients {
            // One that the server had ended would say so.
            _ = await client.waitForReadyRead(timeout: .zero)
            if client.state == .connected { left += 1 }
        }
        line(
            #"{"load":"silent","backend":"\#(options.backend)","clients":\#(options.count),"served":true,"stillSilent":\#(left),"#
                + #""serverBytesPerSilentClient":\#((before - server.idleMemory) * 1024 / max(options.count, 1))}"#)
        server.stop()
        if left != options.count { die("\(options.count - left) silent clients were sent away before their time") }
    }

    /// All connections are held at once.
    private static func hold(_ options: Options) async throws(SslSocketError) {
        let server = Child(options)
        let client = Client(options, server.port)
        var clients: [SslSocket] = []
        // What the first connections bring into memory is not theirs.
        for _ in 0..<100 { try await clients.append(client.talk(nil)) }
        try await settle()
        let (before, heapBefore) = (server.memory, server.heap)
        while clients.count < options.count + 100 { try await clients.append(client.talk(nil)) }
        try await settle()
        let (after, heapAfter) = (server.memory, server.heap)
        let descriptors = server.descriptors
        line(
            #"{"load":"hold","backend":"\#(options.backend)","connections":\#(options.count),"serverDescriptors":\#(descriptors),"#
                + #""pssBytesPerConnection":\#((after - before) * 1024 / options.count),"#
                + #""privateBytesPerConnection":\#((heapAfter - heapBefore) * 1024 / options.count)}"#)
        for socket in clients { socket.abort() }
        server.stop()
    }

    /// Idle connections give their buffers back a tenth of a second after the last octet.
    private static func settle() async throws(SslSocketError) {
        do { try await Task.sleep(for: .seconds(1)) } catch { die("cancelled") }
    }

    /// One connection after the other, some at a time.
    private static func churn(_ options: Options) async throws(SslSocketError) {
        let server = Child(options)
        let step = max(options.count / 10, 1)
        var done = 0
        var samples: [String] = []
        var resumed = 0
        while done < options.count {
            let part = min(step, options.count - done)
            resumed += await withTaskGroup(of: Int.self) { group in
                for worker in 0..<8 {
                    let share = part / 8 + (worker < part % 8 ? 1 : 0)
                    group.addTask {
                        var ticket: SslSessionTicket?
                        var resumed = 0
                        for _ in 0..<share {
                            do throws(SslSocketError) {
                                let socket = try await Client(options, server.port).talk(ticket)
                                if socket.isSessionResumed { resumed += 1 }
                                if options.resumes { ticket = socket.sessionTicket ?? ticket }
                                await socket.finish()
                            } catch {
                                die("\(error)")
                            }
                        }
                        return resumed
                    }
                }
                return await group.reduce(0, +)
            }
            done += part
            samples.append(#"{"after":\#(done),"rssKiB":\#(server.resident),"descriptors":\#(server.descriptors)}"#)
            note("\(done) of \(options.count)")
        }
        line(
            #"{"load":"churn","backend":"\#(options.backend)","handshakes":\#(done),"resumed":\#(resumed),"samples":[\#(samples.joined(separator: ","))]}"#
        )
        server.stop()
    }
}
