import Glibc

/// libFuzzer's own loop.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ one: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// The target that is being tried; chosen before libFuzzer starts.
nonisolated(unsafe) private var chosen: (([UInt8]) -> Void)?

private func tryOne(_ octets: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe octets.map { unsafe [UInt8](UnsafeBufferPointer(start: $0, count: count)) } ?? []
    unsafe chosen?(input)
    return 0
}

/// What libFuzzer looks for.
@c(LLVMFuzzerTestOneInput)
public func fuzzOne(_ octets: UnsafePointer<UInt8>?, _ count: Int) -> CInt { unsafe tryOne(octets, count) }

/// The program: `fuzz list`, or `fuzz TARGET CORPUS [option of libFuzzer]...`. SwiftPM wants main under this name.
@c(fuzz_main)
public func fuzzMain(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
    let words = (0..<Int(count)).compactMap { place in unsafe arguments[place].map { unsafe String(cString: $0) } }
    if words.dropFirst().first == "list" {
        for target in FuzzTarget.all { print(target.name) }
        return 0
    }
    guard words.count >= 3, let target = FuzzTarget.all.first(where: { $0.name == words[1] }) else {
        print("usage: fuzz list | fuzz TARGET CORPUS [option of libFuzzer]...")
        return 64
    }
    do {
        // Certificates are made by the test kit, so that none has a date to expire.
        let prepared = try target.prepare()
        for (number, seed) in prepared.seeds.enumerated() { try write(seed, to: "\(words[2])/seed-\(number)") }
        unsafe chosen = prepared.run
    } catch {
        print("\(target.name): \(error)")
        return 70
    }
    var passed: [UnsafeMutablePointer<CChar>?] = unsafe ([words[0]] + words.dropFirst(2)).map { unsafe strdup($0) }
    unsafe passed.append(nil)
    var left = CInt(passed.count - 1)
    return unsafe passed.withUnsafeMutableBufferPointer { list in
        guard var start = list.baseAddress else { return 70 }
        return unsafe runDriver(&left, &start, { unsafe tryOne($0, $1) })
    }
}

private func write(_ octets: [UInt8], to path: String) throws {
    guard let file = unsafe fopen(path, "w") else { throw Unwritable(path: path) }
    defer { unsafe fclose(file) }
    guard unsafe fwrite(octets, 1, octets.count, file) == octets.count else { throw Unwritable(path: path) }
}

private struct Unwritable: Error { let path: String }
