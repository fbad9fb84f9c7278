internal import SslBackend
internal import SslValues

// How much may flow in, and the account of what has flowed out.
extension SslSocket {
    // MARK: In

    /// The read buffer is not full. What a transaction keeps counts too.
    var hasRoomToRead: Bool { readLimit == 0 || incoming.heldCount < readLimit }

    /// So many octets of plaintext may come in.
    var roomToRead: Int { readLimit == 0 ? .max : max(readLimit - incoming.heldCount, 0) }

    /// So many octets are taken from the system at once: what fits the read buffer, and beside it one record, for it can be decrypted only
    /// when it is whole.
    var windowSize: Int {
        guard readLimit > 0 else { return .max }
        return connection == nil ? roomToRead : roomToRead.addingClamped(TlsConnection.longestRecord)
    }

    /// Goes on where a full buffer has stopped the session, when there is room again.
    func resumeReading(announcing: Bool = false) {
        if isThrottled && hasRoomToRead { unsafe workIn(.empty, announcing: announcing) }
    }

    /// Plaintext has arrived.
    ///
    /// - Parameter announcing: false inside a read, whose caller sees for itself what is there; the next wait announces it then.
    func noteArrival(_ announcing: Bool) {
        if !openMode.contains(.readOnly) {
            // Nobody can ever read it.
            incoming.removeAll()
        } else if announcing {
            announceData()
        } else {
            hasUnannouncedData = true
        }
    }

    /// Emits readyRead. A slot that makes more data come is not called again from within itself: that comes with the next turn.
    func announceData() {
        announcements += 1
        guard !isAnnouncingData else {
            hasUnannouncedData = true
            return
        }
        hasUnannouncedData = false
        isAnnouncingData = true
        defer { isAnnouncingData = false }
        emit(.readyRead)
    }

    // MARK: Out

    /// Keeps octets of the plain phase, sent or not, apart from the ciphertext that will follow them.
    func accountForPlainOutput() {
        noteWritten(output.takeSent())
        plainOutput = output.count
    }

    /// Encrypts and sends until the system takes no more or nothing is left, without saying so yet.
    func handOn() {
        while true {
            let hadRoom = output.hasRoom
            var encrypted = 0
            if let connection, isEncrypted, connection.bytesToEncrypt > 0 { encrypted = connection.flush(output) }
            noteWritten(encrypted)
            output.drain()
            // The system has taken all that was encrypted: more can be.
            guard encrypted > 0 || !hadRoom, output.count == 0, output.failure == 0, let connection, connection.bytesToEncrypt > 0
            else { return }
        }
    }

    /// Counts octets of payload that were handed on.
    func noteWritten(_ count: Int) {
        guard count > 0 else { return }
        unannouncedWritten += count
        totalWritten += count
    }

    /// Emits bytesWritten and encryptedBytesWritten for what has accumulated. A slot that writes more is not called again from within itself:
    /// that comes with the next turn.
    ///
    /// - Parameter isLast: the connection ends: what is not told now never will be.
    func announceWritten(isLast: Bool = false) {
        guard !isAnnouncingWritten || isLast else { return }
        let sent = output.takeSent()
        let epoch = epoch
        let outer = isAnnouncingWritten
        isAnnouncingWritten = true
        defer { isAnnouncingWritten = outer }
        let plain = connection == nil ? sent : min(sent, plainOutput)
        if connection != nil { plainOutput -= plain }
        noteWritten(plain)
        if sent > plain { emit(.encryptedBytesWritten, sent - plain) }
        guard epoch == self.epoch, unannouncedWritten > 0 else { return }
        let count = unannouncedWritten
        unannouncedWritten = 0
        emit(.bytesWritten, count)
    }
}

extension Int {
    /// The sum, or the greatest number if it is greater.
    fileprivate func addingClamped(_ other: Int) -> Int {
        let (sum, isOver) = addingReportingOverflow(other)
        return isOver ? .max : sum
    }
}
