internal import SslSockets
internal import SslTestKit

/// Bars for the time of full handshakes: half of them within the dark part, nine of ten within the whole.
struct HtmlTimings {
    let timings: [HandshakeTiming]
    let isDebugBuild: Bool

    var text: String {
        guard let longest = timings.map({ $0.percentile(0.9) }).max(), longest > 0,
            let count = timings.map(\.milliseconds.count).min()
        else { return "" }
        var versions: [SslVersion] = []
        for timing in timings where !versions.contains(timing.version) { versions.append(timing.version) }
        let note =
            "\(count) full handshakes for each bar: both ends in one thread over memory, ECDSA on P-256, the pairs by turns. Half of them took no "
            + "longer than the dark bar, nine of ten no longer than the whole. Where the bars of two pairs overlap, neither is faster."
            + (isDebugBuild ? " This is a debug build: a release is faster, and the proportions are others." : "")
        let blocks = versions.map { version in
            let bars = timings.filter { $0.version == version }.map { bar($0, longest) }.joined()
            return Html.element("div", Html.element("h3", Html.text("\(version)")) + Html.element("div", ["class": "bars"], bars))
        }
        return Html.element("h2", ["id": "times"], "Times of handshakes") + Html.element("p", ["class": "faint"], Html.text(note))
            + "\n" + Html.element("div", ["class": "times"], blocks.joined()) + "\n"
    }

    private func bar(_ timing: HandshakeTiming, _ longest: Double) -> String {
        let (half, most) = (timing.percentile(0.5), timing.percentile(0.9))
        let words = "p50 \(Html.milliseconds(half)) ms, p90 \(Html.milliseconds(most)) ms"
        func rect(_ time: Double, _ kind: String) -> String {
            Html.element("rect", ["class": kind, "width": "\((time / longest * 1000).rounded() / 10)", "height": "10"], "")
        }
        let image = Html.element(
            "svg",
            [
                "viewBox": "0 0 100 10", "preserveAspectRatio": "none", "role": "img",
                "aria-label": "\(timing.client) → \(timing.server): \(words)",
            ], rect(most, "most") + rect(half, "half"))
        let label = Html.element("span", Html.text("\(timing.client) → \(timing.server)"))
        return Html.element("div", ["class": "bar"], label + image + Html.element("span", ["class": "time"], Html.text(words)))
    }
}
