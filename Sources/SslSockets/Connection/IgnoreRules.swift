/// Which problems of a peer's certificate a program has chosen to live with.
package struct IgnoreRules: Sendable, Hashable {
    /// All of them (`ignoreSslErrors()`).
    package var all = false
    /// Exactly these (`ignoreSslErrors(list)`). When not empty it decides alone and ``all`` is not asked.
    package var list: [SslError] = []

    /// None.
    package init() {}

    /// True when every one of the errors is to be ignored.
    package func cover(_ errors: [SslError]) -> Bool {
        if list.isEmpty { return all }
        return errors.allSatisfy(list.contains)
    }
}
