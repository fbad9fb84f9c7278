/// For what a device is open (`QIODevice::OpenMode`).
///
/// Of Qt's flags only these have a meaning for a socket: nothing can be appended to, truncated or created, end-of-line translation would change
/// what a protocol says, and ``SslSocket`` has one buffer that cannot be left out.
public struct SslOpenMode: OptionSet, Sendable, Hashable {
    /// Qt's numbers.
    public let rawValue: Int
    /// Makes a set from Qt's numbers.
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// Open for reading (`QIODevice::ReadOnly`).
    public static let readOnly = SslOpenMode(rawValue: 1)
    /// Open for writing (`QIODevice::WriteOnly`).
    public static let writeOnly = SslOpenMode(rawValue: 2)
    /// Open for both (`QIODevice::ReadWrite`).
    public static let readWrite: SslOpenMode = [.readOnly, .writeOnly]
}
