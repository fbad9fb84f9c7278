/// A token's question for its PIN: see ``SslKey/init(pkcs11:backend:pin:)``.
public struct SslTokenPinQuestion: Sendable, Hashable {
    /// What the token is called.
    public var tokenLabel: String
    /// After one more wrong answer the token locks itself.
    public var isFinalTry: Bool
    /// There has been a wrong answer already, and not many more are allowed.
    public var isCountLow: Bool

    /// Puts a question together.
    public init(tokenLabel: String, isFinalTry: Bool = false, isCountLow: Bool = false) {
        self.tokenLabel = tokenLabel
        self.isFinalTry = isFinalTry
        self.isCountLow = isCountLow
    }
}
