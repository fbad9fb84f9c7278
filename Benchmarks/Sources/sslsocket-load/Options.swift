import Glibc

/// What the program does.
enum Work: String {
    case silent, hold, churn, serve
}

/// The command line.
struct Options: Sendable {
    var work = Work.silent
    var count = 1000
    var backend = "gnutls"
    var version: String?
    var resumes = false
    var certificateFile = ""
    var keyFile = ""

    init(_ arguments: [String]) {
        var rest = arguments.dropFirst()
        guard let word = rest.popFirst(), let work = Work(rawValue: word) else {
            die("usage: sslsocket-load silent|hold|churn COUNT --cert FILE --key FILE [--backend NAME] [--tls 1.2] [--resume]")
        }
        self.work = work
        while let word = rest.popFirst() {
            if word == "--resume" {
                resumes = true
                continue
            }
            if let count = Int(word), count > 0 {
                self.count = count
                continue
            }
            guard let value = rest.popFirst() else { die("\(word) needs a value") }
            switch word {
            case "--backend": backend = value
            case "--tls": version = value
            case "--cert": certificateFile = value
            case "--key": keyFile = value
            default: die("unknown argument \(word)")
            }
        }
    }

    /// The same for the process of the server.
    var serverArguments: [String] { ["serve", "--backend", backend, "--cert", certificateFile, "--key", keyFile] }
}

/// Says why and ends the program.
func die(_ message: String) -> Never {
    note(message)
    exit(1)
}

/// A line on standard error.
func note(_ text: String) { put("sslsocket-load: \(text)\n", STDERR_FILENO) }

/// A line on standard output.
func line(_ text: String) { put(text + "\n", STDOUT_FILENO) }

private func put(_ text: String, _ descriptor: Int32) {
    let bytes = Array(text.utf8)
    unsafe bytes.withUnsafeBytes { unsafe _ = write(descriptor, $0.baseAddress, $0.count) }
}
