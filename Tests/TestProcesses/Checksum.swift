/// SHA-256 as sha256sum(1) computes it: nothing of ours judges what ours transported.
public enum Checksum {
    /// The checksum of a file, in hexadecimal.
    public static func sha256(ofFile path: String) async throws -> String {
        let program = try ProgramPath.find("sha256sum", package: "coreutils")
        let result = try await ChildProcess.run(program, ["--", path])
        guard result.status == 0, let sum = result.text.split(separator: " ").first else {
            throw ProcessFailure("sha256sum: \(result)")
        }
        return String(sum)
    }
}
