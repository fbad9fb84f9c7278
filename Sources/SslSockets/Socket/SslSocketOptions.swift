internal import SslBackend
internal import SslValues

/// What carries a socket (`QAbstractSocket::SocketType`). Qt's other kinds have classes of their own here or none at all.
@nonexhaustive
public enum SslSocketType: Sendable, Hashable {
    /// TCP.
    case tcp
    /// A stream between processes of this host, whose descriptor was handed to ``SslSocket/setSocketDescriptor(_:openMode:)``.
    case local
}

extension SslSocket {
    /// Sets an option of the system for this connection and all later ones of this socket (`setSocketOption`).
    ///
    /// Unlike in Qt it may be set before there is a connection: it is kept, and set before TCP connects. A connection on which the system refuses
    /// it then fails.
    /// - Returns: false, with ``error`` set and nothing changed, when the value is out of range (``SslSocketError/Code/invalidUserData``), the option
    ///   cannot be set on TCP (``SslSocketError/Code/unsupportedOperation``), or the system refuses.
    @discardableResult
    public func setSocketOption(_ option: SslSocketOption, to value: Int) -> Bool {
        do throws(SslSocketError) {
            guard let range = option.range else {
                throw SslSocketError(.unsupportedOperation, "The socket option \(option.rawValue) cannot be set on TCP")
            }
            guard range.contains(value) else {
                throw SslSocketError(
                    .invalidUserData,
                    "The socket option \(option.rawValue) takes \(range.lowerBound) to \(range.upperBound), not \(value)")
            }
            try presentDescriptor?.set(option, to: value)
            socketOptions[option] = value
            return true
        } catch {
            report(error)
            return false
        }
    }

    /// The value of an option (`socketOption`): what the system says, or without a connection what was set; nil when neither knows.
    public func socketOption(_ option: SslSocketOption) -> Int? {
        guard let presentDescriptor else { return socketOptions[option] }
        return presentDescriptor.value(of: option)
    }

    /// What carries this socket (`socketType`).
    public var socketType: SslSocketType { presentDescriptor?.isLocal ?? false ? .local : .tcp }

    /// The one descriptor there is.
    var presentDescriptor: SocketDescriptor? {
        switch stage {
        case .open(let descriptor): descriptor
        case .proxying(let run): run.descriptor
        case .idle, .lookup, .connecting: bound?.descriptor
        }
    }
}
