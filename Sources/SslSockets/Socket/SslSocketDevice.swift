internal import SslBackend
internal import SslValues

// What there is to read and to write, the same in the plain and the encrypted phase.
extension SslSocket {
    // MARK: Open or not

    /// Open for reading or writing (`isOpen`); it does not say that there is a connection: see ``state``.
    public var isOpen: Bool { !openMode.isEmpty }
    /// Open for reading (`isReadable`): what was received can be read, even when the connection has ended since.
    public var isReadable: Bool { openMode.contains(.readOnly) }
    /// Open for writing (`isWritable`). Only a connected or connecting socket really takes octets: see ``write(_:)-(UnsafeRawBufferPointer)``.
    public var isWritable: Bool { openMode.contains(.writeOnly) }
    /// Always true (`isSequential`): a stream has no positions to go to. Transactions, ``peek(_:)`` and ``ungetChar(_:)`` take their place.
    public var isSequential: Bool { true }

    // MARK: How much

    /// Octets that can be read now: received, and decrypted when encrypted (`bytesAvailable`).
    public var bytesAvailable: Int { incoming.count }
    /// Octets received that a full read buffer keeps from ``bytesAvailable`` (`encryptedBytesAvailable`); 0 in the plain phase. What the engine has
    /// decrypted already counts without its overhead, and a record that has not come completely does not count.
    public var encryptedBytesAvailable: Int { connection?.pendingInput ?? 0 }
    /// Octets of payload not encrypted yet, or not given to the system when plain (`bytesToWrite`).
    public var bytesToWrite: Int {
        guard let connection else { return output.count }
        return connection.bytesToEncrypt + plainOutput
    }
    /// Octets of ciphertext not given to the system yet (`encryptedBytesToWrite`); 0 in the plain phase.
    public var encryptedBytesToWrite: Int { connection == nil ? 0 : output.count - plainOutput }
    /// Nothing can be read now (`atEnd`); not that the peer has finished, which ``readChannelFinished`` tells.
    public var atEnd: Bool { incoming.isEmpty }

    // MARK: Limits

    /// The most octets kept to be read (`readBufferSize`); 0, the default, for no limit.
    ///
    /// Unlike Qt's it is a hard limit, plain or encrypted: ``bytesAvailable`` never exceeds it, and when it is reached nothing more is taken from
    /// the system, so that the peer has to wait. Beside it stand at most as many octets of ciphertext and two records of 16 KiB, for a record can
    /// be decrypted only when it is whole. What a transaction keeps counts too.
    ///
    /// With a higher limit, or none, receiving goes on with the next wait, without new octets of the peer.
    public var readBufferSize: Int {
        get { readLimit }
        set { readLimit = max(newValue, 0) }
    }

    /// The most octets kept to be sent, encrypted or not; 0, the default, for no limit as in Qt. Beyond Qt 6.11.
    ///
    /// When it is reached ``write(_:)-(UnsafeRawBufferPointer)`` takes only what fits and returns how much that was. Encryption adds a little to
    /// what was taken: 22 octets a record of at most 16 KiB with the usual ciphers. ``send(_:timeout:)-([UInt8],_)`` waits for room instead, and
    /// keeps no more than 128 KiB with or without a limit.
    public var writeBufferSize: Int {
        get { writeLimit }
        set { writeLimit = max(newValue, 0) }
    }
}
