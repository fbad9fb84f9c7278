/// What a file may ask to be done with a passphrase before it can be known whether it is the right one.
public enum KeyDerivationCost {
    /// More rounds than anybody's files ask for, a few seconds on one core. A file of a stranger could ask for an hour.
    public static let mostRounds = 10_000_000

    /// Containers in containers are no deeper in keys and PKCS#12 files.
    private static let deepest = 24

    /// Whether an encrypted key (RFC 5958) or a PKCS#12 file (RFC 7292) asks for too many rounds.
    ///
    /// In PBKDF2, in the older ways of PKCS#5 and PKCS#12, and in the proof of integrity alike the number of rounds follows the salt: an INTEGER behind an OCTET
    /// STRING (RFC 8018 appendix A, RFC 7292 section 4). What is not DER is left to the library.
    public static func isExcessive(_ file: [UInt8]) -> Bool { isExcessive(file[...], 0) }

    private static func isExcessive(_ content: ArraySlice<UInt8>, _ depth: Int) -> Bool {
        guard depth < deepest, let elements = DerReader.all(content) else { return false }
        var previous: UInt8 = 0
        for element in elements {
            if element.tag == DerTag.integer, previous == DerTag.octetString {
                guard let rounds = DerValue.smallNumber(element.content), rounds <= mostRounds else { return true }
            }
            previous = element.tag
            let isContainer = element.tag & 0x20 != 0 || element.tag == DerTag.octetString
            if isContainer, isExcessive(element.content, depth + 1) { return true }
        }
        return false
    }
}
