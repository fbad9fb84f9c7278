internal import CSslLinux

extension SslConfiguration {
    /// The file to which connections write the secrets of their encryption, in the SSLKEYLOGFILE format that Wireshark reads. Default: nil, nothing is
    /// ever written. Beyond Qt.
    ///
    /// **Whoever reads the file can read the connections.** It is meant for finding faults, never for a service in use.
    ///
    /// A new file can be read and written by its owner alone (mode 0600); an existing one keeps its mode and is appended to, whole lines at a time, so
    /// that many connections and programs can share it. A connection that cannot open it does not begin: ``SslSocketError/Code/unreadableFile``. A
    /// program that runs with more rights than its user (set-user-ID, set-group-ID, file capabilities) does not write one:
    /// ``SslSocketError/Code/socketAccess``. A line that cannot be written later on, on a full disk for example, is left out.
    ///
    /// The environment has no say, also where the TLS library by itself would listen to it: a program that wants `SSLKEYLOGFILE` to count says
    /// `configuration.keyLogPath = SslConfiguration.environmentKeyLogPath`.
    public var keyLogPath: String? {
        get { values.keyLogPath }
        set { change { $0.keyLogPath = newValue } }
    }

    /// What the environment variable `SSLKEYLOGFILE` says, for ``keyLogPath``; nil without it, when it is empty, and in a program that runs with more rights than
    /// its user.
    public static var environmentKeyLogPath: String? {
        guard let text = unsafe ssllinux_secure_getenv("SSLKEYLOGFILE") else { return nil }
        let path = unsafe String(cString: text)
        return path.isEmpty ? nil : path
    }
}
