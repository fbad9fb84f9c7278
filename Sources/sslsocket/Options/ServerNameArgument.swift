internal import ArgumentParser

/// A certificate for the clients that ask for a name: `NAME=CERT,KEY`, or `NAME=CERT` for both in one file.
struct ServerNameArgument: ExpressibleByArgument, Equatable {
    let name: String
    let certificate: String
    let key: String

    init?(argument: String) {
        guard let sign = argument.firstIndex(of: "=") else { return nil }
        let files = argument[argument.index(after: sign)...].split(separator: ",", omittingEmptySubsequences: false)
        guard sign > argument.startIndex, (1...2).contains(files.count), !files.contains("") else { return nil }
        name = String(argument[..<sign])
        certificate = String(files[0])
        key = String(files[files.count - 1])
    }
}
