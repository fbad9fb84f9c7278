internal import Testing

// The macros of Swift Testing copy what they look at, which types without copies do not allow: these take values.

/// Expects that a value is another.
func check<Value: Equatable>(_ value: Value, is expected: Value, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(value == expected, sourceLocation: sourceLocation)
}

/// Expects that something holds.
func check(_ holds: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(holds, sourceLocation: sourceLocation)
}
