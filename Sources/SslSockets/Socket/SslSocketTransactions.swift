internal import SslBackend
internal import SslValues

// Reading that can be undone.
extension SslSocket {
    /// From now on what is read can be taken back (`startTransaction`), however often more arrives meanwhile. Nothing is copied for it: the octets
    /// stay where they are until ``commitTransaction()``.
    ///
    /// They count for ``readBufferSize``. A transaction that needs more than that can never succeed: waiting for data then fails at once.
    /// ``close()``, ``abort()`` and connecting end a transaction; the end of the connection does not.
    ///
    /// - Returns: false, with ``error`` set, when one has been started already or the device is not open for reading.
    @discardableResult
    public func startTransaction() -> Bool {
        guard isReadable else { return refuse("A transaction can be started only while the socket is open for reading") }
        guard !incoming.isInTransaction else {
            return refuse("A transaction has been started already; there is no second one inside it")
        }
        incoming.startTransaction()
        return true
    }

    /// Ends the transaction; what was read is gone (`commitTransaction`).
    ///
    /// - Returns: false, with ``error`` set, when none has been started.
    @discardableResult
    public func commitTransaction() -> Bool {
        guard incoming.isInTransaction else { return refuse("No transaction has been started") }
        incoming.commitTransaction()
        resumeReading()
        return true
    }

    /// Ends the transaction; what was read can be read again (`rollbackTransaction`). ``readyRead`` is not emitted for it.
    ///
    /// - Returns: false, with ``error`` set, when none has been started.
    @discardableResult
    public func rollbackTransaction() -> Bool {
        guard incoming.isInTransaction else { return refuse("No transaction has been started") }
        incoming.rollBackTransaction()
        return true
    }

    /// A transaction has been started (`isTransactionStarted`).
    public var isTransactionStarted: Bool { incoming.isInTransaction }
}
