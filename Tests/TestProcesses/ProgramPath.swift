internal import Glibc

/// A program that a test needs is not installed. A test fails with it: it is never skipped.
public struct MissingProgram: Error, CustomStringConvertible {
    /// The name of the program.
    public let program: String
    /// The Debian package that holds it.
    public let package: String

    /// Makes the failure.
    public init(program: String, package: String) {
        self.program = program
        self.package = package
    }

    /// What to do.
    public var description: String { "\(program) is not installed: apt-get install --no-install-recommends \(package)" }
}

/// Finds programs.
public enum ProgramPath {
    /// The path of a program on PATH or in the system's directories.
    ///
    /// - Parameter package: the Debian package that holds it.
    public static func find(_ program: String, package: String) throws(MissingProgram) -> String {
        let path = unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? ""
        // Servers live where only root looks.
        let folders = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        for folder in folders where unsafe access("\(folder)/\(program)", X_OK) == 0 { return "\(folder)/\(program)" }
        throw MissingProgram(program: program, package: package)
    }
}
