internal import Testing

/// All tests with programs nobody here wrote, one after the other: many of them move 64 MiB, and none should wait for the processor so long
/// that it looks like a failure.
@Suite(.serialized) enum RealPeers {}
