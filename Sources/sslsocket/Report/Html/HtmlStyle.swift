/// The look of the page. Every colour has enough contrast to its ground for small text, on light and on dark.
enum HtmlStyle {
    static let text = """
        :root { --ground: #fcfcfb; --card: #ffffff; --text: #1c2024; --faint: #5b636b; --line: #d9dcdf; --link: #1a56b0;
          --good: #17692f; --notable: #865300; --bad: #b3202a; --half: #2f66b0; --most: #a8c3e6; }
        @media (prefers-color-scheme: dark) { :root { --ground: #15181b; --card: #1d2125; --text: #e4e7ea; --faint: #a0a9b2;
          --line: #343a41; --link: #82b1ff; --good: #6fd08a; --notable: #e9b44c; --bad: #ff8080; --half: #7aa9ee; --most: #33507d; } }
        * { box-sizing: border-box; }
        html { background: var(--ground); color: var(--text); font: 1rem/1.5 system-ui, "Noto Sans", "Segoe UI", sans-serif;
          -webkit-text-size-adjust: 100%; }
        body { max-width: 76rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
        h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 1rem; }
        h2 { font-size: 1.3rem; margin: 2.75rem 0 .5rem; padding-top: .75rem; border-top: 1px solid var(--line); }
        h3 { font-size: 1.02rem; margin: 1.5rem 0 .4rem; }
        a { color: var(--link); text-decoration: none; } a:hover { text-decoration: underline; }
        small { font-size: .82rem; } td small, th small, li small { display: block; color: var(--faint); font-weight: 400; }
        .faint { color: var(--faint); } .good { color: var(--good); } .notable { color: var(--notable); } .bad { color: var(--bad); }
        .facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); gap: .6rem 1.5rem; margin: 0 0 1.25rem; }
        .facts dt { color: var(--faint); font-size: .82rem; } .facts dd { margin: 0; overflow-wrap: anywhere; }
        .verdict { font-size: 1.1rem; font-weight: 600; margin: 0 0 .6rem; }
        .tiles { display: flex; flex-wrap: wrap; gap: .6rem; }
        .tile { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .9rem; flex: 1 1 8rem; }
        .tile b { display: block; font-size: 1.5rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
        .tile span { font-size: .87rem; } .tile.none { color: var(--faint); }
        nav { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; margin: 1.1rem 0 0; font-size: .93rem; }
        table { border-collapse: collapse; width: 100%; background: var(--card); font-size: .9rem; }
        th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border: 1px solid var(--line); }
        thead th { font-size: .82rem; color: var(--faint); font-weight: 600; position: sticky; top: 0; background: var(--card); }
        .matrix { table-layout: fixed; } .matrix thead th:first-child { width: 29%; }
        .matrix tbody th { font-weight: 600; overflow-wrap: anywhere; }
        .time { color: var(--faint); font-variant-numeric: tabular-nums; white-space: nowrap; }
        td small.time { display: inline; } td small.label { display: inline; }
        .times { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 0 2.5rem; }
        .bars { display: grid; grid-template-columns: max-content 1fr max-content; gap: .35rem .75rem; align-items: center; font-size: .87rem; }
        .bar { display: contents; } .bars svg { width: 100%; height: .95rem; display: block; } .half { fill: var(--half); } .most { fill: var(--most); }
        .difference { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .2rem .9rem .8rem;
          margin: 0 0 .9rem; }
        .cases td { overflow-wrap: anywhere; } .cases td:first-child, .cases td:nth-child(2) { min-width: 6.5rem; }
        .lacks li, .failures li { margin-bottom: .5rem; }
        pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .2rem 0; font-size: .85rem; }
        summary { cursor: pointer; padding: .25rem 0; overflow-wrap: anywhere; } details p { margin: .2rem 0 .5rem; }
        :target { scroll-margin-top: 3rem; background: color-mix(in srgb, var(--most) 35%, transparent); }
        @media (max-width: 46rem) {
          body { padding: 1rem .9rem 3rem; }
          .bars { grid-template-columns: 1fr; } .bar { display: grid; grid-template-columns: 1fr max-content; }
          .bar svg { grid-column: 1 / -1; order: 1; }
          thead { display: none; } table, tbody, tr, th, td { display: block; width: auto; border: 0; }
          table { background: none; }
          tr { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; margin: 0 0 .6rem; padding: .45rem .7rem; }
          th, td { padding: .15rem 0; }
          td { display: grid; grid-template-columns: 8.6rem 1fr; column-gap: .5rem; }
          td::before { content: attr(data-pair); color: var(--faint); font-size: .85rem; }
          .cases td { grid-template-columns: 4.6rem 1fr; } td > * { grid-column: 2; } .matrix tbody th { padding-bottom: .3rem; } td:empty { display: none; }
        }
        @media print {
          :root { --ground: #fff; --card: #fff; --text: #000; --faint: #444; --line: #bbb; --link: #000; --good: #000; --notable: #000; --bad: #000; }
          body { max-width: none; padding: 0; } nav { display: none; } tr, .difference { break-inside: avoid; } thead th { position: static; }
        }

        """
}
