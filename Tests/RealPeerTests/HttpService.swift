internal import SslSockets
internal import TestProcesses

/// As much of HTTP/1.1 as curl needs to fetch the payload and to leave a file.
struct HttpService {
    let socket: SslSocket
    let payload: Payload
    let folder: ScratchFolder

    func run() async throws {
        let (request, fields) = try await head()
        let words = request.split(separator: " ")
        guard words.count == 3 else { return try await answer("400 Bad Request", "") }
        switch words[0] {
        case "GET":
            try await socket.send("HTTP/1.1 200 OK\r\nContent-Length: \(payload.bytes.count)\r\nConnection: close\r\n\r\n")
            try await socket.send(payload.bytes, timeout: .seconds(60))
        case "PUT":
            if fields["expect"] != nil { try await socket.send("HTTP/1.1 100 Continue\r\n\r\n") }
            try await store(Int(fields["content-length"] ?? "") ?? 0)
            try await answer("200 OK", "stored\n")
        default: try await answer("405 Method Not Allowed", "")
        }
    }

    /// Takes a body into a file, which is complete when this returns.
    private func store(_ length: Int) async throws {
        let sink = try FileSink(folder.file("uploaded"))
        var left = length
        while left > 0 {
            let bytes = try await socket.receive(timeout: .seconds(60))
            guard !bytes.isEmpty else { throw ProcessFailure("\(left) octets are missing") }
            sink.write(bytes)
            left -= bytes.count
        }
    }

    private func answer(_ status: String, _ body: String) async throws {
        try await socket.send("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)")
    }

    private func head() async throws -> (request: String, fields: [String: String]) {
        let request = try await line()
        var fields: [String: String] = [:]
        while true {
            let text = try await line()
            if text.isEmpty { return (request, fields) }
            let parts = text.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { fields[parts[0].lowercased()] = String(parts[1].drop { $0 == " " }) }
        }
    }

    private func line() async throws -> String {
        var bytes = try await socket.receiveLine(timeout: .seconds(60))[...]
        while let last = bytes.last, last == 10 || last == 13 { bytes = bytes.dropLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}
