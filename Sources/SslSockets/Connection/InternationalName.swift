/// International labels of host names in their ASCII form (RFC 5890 to 5893, RFC 3492).
///
/// The same on every backend, for none is asked. It takes what RFC 5892 calls PVALID among letters and digits, after folding to lower
/// case as UTS 46 does; whatever needs more rules (combining marks, joiners, right-to-left labels with digits, wide forms) is refused,
/// and can be given in its `xn--` form. Refusing is safe: a wrong answer would compare other names than the user meant.
enum InternationalName {
    /// The ASCII form of a label with other letters; nil for one that is not taken.
    static func ascii(_ label: some StringProtocol) -> String? {
        let folded = Array(label.lowercased().unicodeScalars)
        guard !folded.isEmpty, folded.first != "-", folded.last != "-", folded.allSatisfy(isTaken), isOneDirection(folded),
            // Reserved for A-labels (RFC 5891 section 4.2.3.1).
            !(folded.count > 3 && folded[2] == "-" && folded[3] == "-"),
            let encoded = punycode(folded.map(\.value))
        else { return nil }
        return "xn--" + encoded
    }

    /// RFC 5892: letters and digits that stay as they are under case folding and compatibility normalization, and the two letters that are
    /// valid although they do not (section 2.6). Letters that a combining mark could change are no trouble, for marks are not taken.
    private static func isTaken(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII {
            return ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar) || scalar == "-"
        }
        if scalar == "\u{DF}" || scalar == "\u{3C2}" { return true }
        // Conjoining Hangul letters would have to be composed.
        if (0x1100...0x11FF).contains(scalar.value) || (0xA960...0xA97C).contains(scalar.value)
            || (0xD7B0...0xD7FB).contains(scalar.value)
        {
            return false
        }
        let properties = scalar.properties
        switch properties.generalCategory {
        case .lowercaseLetter, .otherLetter, .modifierLetter, .decimalNumber:
            return !properties.changesWhenNFKCCaseFolded && !properties.isDefaultIgnorableCodePoint
        default: return false
        }
    }

    /// Right-to-left labels are letters only; those that RFC 5893 section 2 allows besides need the directions of all characters.
    private static func isOneDirection(_ label: [Unicode.Scalar]) -> Bool {
        guard label.contains(where: isRightToLeft) else { return true }
        return label.allSatisfy { isRightToLeft($0) && $0.properties.generalCategory == .otherLetter }
    }

    private static func isRightToLeft(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x0590...0x08FF, 0xFB1D...0xFDFF, 0xFE70...0xFEFF, 0x10800...0x10FFF, 0x1E800...0x1EFFF: true
        default: false
        }
    }

    // MARK: RFC 3492

    private static let base: UInt32 = 36

    /// The Punycode of a label; nil when it does not fit a label.
    static func punycode(_ input: [UInt32]) -> String? {
        guard input.count <= 63 else { return nil }
        var output = input.filter { $0 < 0x80 }.map { UInt8($0) }
        let basic = UInt32(output.count)
        if basic > 0 { output.append(UInt8(ascii: "-")) }
        var handled = basic
        var code: UInt32 = 0x80
        var delta: UInt32 = 0
        var bias: UInt32 = 72
        while handled < UInt32(input.count) {
            guard let next = input.filter({ $0 >= code }).min() else { return nil }
            // At most 63 times 0x10FFFF, so nothing overflows.
            delta += (next - code) * (handled + 1)
            code = next
            for scalar in input {
                if scalar < code { delta += 1 }
                guard scalar == code else { continue }
                append(delta, bias, to: &output)
                bias = adapted(delta, handled + 1, isFirst: handled == basic)
                delta = 0
                handled += 1
            }
            delta += 1
            code += 1
        }
        // With its prefix a label has at most 63 octets.
        return output.count <= 59 ? String(decoding: output, as: UTF8.self) : nil
    }

    private static func append(_ delta: UInt32, _ bias: UInt32, to output: inout [UInt8]) {
        var rest = delta
        var k = base
        while true {
            let threshold: UInt32 = k <= bias ? 1 : min(k - bias, 26)
            if rest < threshold { break }
            output.append(digit(threshold + (rest - threshold) % (base - threshold)))
            rest = (rest - threshold) / (base - threshold)
            k += base
        }
        output.append(digit(rest))
    }

    private static func digit(_ value: UInt32) -> UInt8 {
        UInt8(truncatingIfNeeded: value < 26 ? value + UInt32(UInt8(ascii: "a")) : value - 26 + UInt32(UInt8(ascii: "0")))
    }

    private static func adapted(_ delta: UInt32, _ count: UInt32, isFirst: Bool) -> UInt32 {
        var delta = isFirst ? delta / 700 : delta / 2
        delta += delta / count
        var k: UInt32 = 0
        while delta > (base - 1) * 26 / 2 {
            delta /= base - 1
            k += base
        }
        return k + base * delta / (delta + 38)
    }
}
