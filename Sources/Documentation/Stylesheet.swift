/// The style of the page: in light or dark mode as the reader prefers, for phones, desktops and print.
package enum Stylesheet {
  package static let text: StaticString = """

    :root {
      --page: #ffffff; --panel: #f6f7f9; --line: #e3e6eb; --text: #1d2330; --quiet: #5a6475; --accent: #1f55d0;
      --get: #08734a; --post: #1f55d0; --put: #8a5200; --patch: #7243c9; --delete: #b92b25;
      --key: #8a2f6b; --string: #08734a; --number: #1f55d0;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --page: #0e1116; --panel: #161b23; --line: #262d38; --text: #dce2ec; --quiet: #98a3b5; --accent: #86adff;
        --get: #55d39b; --post: #86adff; --put: #efb45c; --patch: #bf9cff; --delete: #ff8c85;
        --key: #f0a3d0; --string: #7fd8a8; --number: #8fb4ff;
      }
    }
    * { box-sizing: border-box; }
    html { scroll-padding-top: 1.5rem; -webkit-text-size-adjust: 100%; }
    body {
      margin: 0; background: var(--page); color: var(--text);
      font: 16px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
    }
    a { color: var(--accent); text-decoration: none; }
    a:hover { text-decoration: underline; }
    :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
    code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; }
    code { font-size: .875em; overflow-wrap: anywhere; }
    p code, dd code, td code, li code { background: var(--panel); border-radius: 4px; padding: .1em .3em; }
    i { font-style: normal; }
    .choice { position: fixed; top: 0; left: 0; width: 1px; height: 1px; margin: 0; opacity: 0; pointer-events: none; }

    .page { display: grid; grid-template-columns: 17.5rem minmax(0, 1fr); }
    .bar { display: none; }
    .brand { color: var(--text); font-weight: 650; }
    nav {
      position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.6rem 1.25rem 3rem;
      border-right: 1px solid var(--line); font-size: .875rem; line-height: 1.4;
    }
    nav .brand { display: block; font-size: 1rem; margin-bottom: 1rem; }
    nav .other { display: block; margin-bottom: 1rem; }
    nav h2 { margin: 1.5rem 0 .35rem; font-size: .75rem; letter-spacing: .05em; text-transform: uppercase; }
    nav h2 a { color: var(--quiet); }
    nav ul { margin: 0; padding: 0; list-style: none; }
    nav li a { display: flex; gap: .5rem; align-items: baseline; padding: .25rem 0; color: var(--text); }
    nav .method { flex: none; width: 2.9rem; padding: 0; background: none; text-align: left; }
    main { padding: 0 clamp(1rem, 4vw, 3.5rem) 6rem; }

    .title { padding: 4rem 0 1rem; max-width: 46rem; }
    h1 { margin: 0; font-size: clamp(2rem, 5vw, 2.75rem); line-height: 1.15; letter-spacing: -.02em; }
    .title p { margin: .75rem 0 0; font-size: 1.2rem; color: var(--quiet); }
    .guide { max-width: 46rem; }
    h2 { margin: 3rem 0 .75rem; font-size: 1.5rem; line-height: 1.25; letter-spacing: -.01em; }
    h3 { margin: 0 0 .5rem; font-size: 1.25rem; line-height: 1.3; }
    h4 { margin: 1.5rem 0 .5rem; font-size: .8125rem; color: var(--quiet); }
    h2 a, h3 a { color: inherit; }
    p { margin: .75rem 0; }
    table { border-collapse: collapse; width: 100%; font-size: .9375rem; }
    th, td { text-align: left; vertical-align: top; padding: .45rem .75rem .45rem 0; border-bottom: 1px solid var(--line); }
    th { font-size: .8125rem; color: var(--quiet); font-weight: 600; }
    td:first-child { white-space: nowrap; font-variant-numeric: tabular-nums; }
    pre {
      margin: 1rem 0; padding: .9rem 1rem; overflow-x: auto; background: var(--panel); border: 1px solid var(--line);
      border-radius: 8px; font-size: .8125rem; line-height: 1.55; tab-size: 4;
    }
    pre code { font-size: inherit; overflow-wrap: normal; }
    .k { color: var(--key); } .s { color: var(--string); } .n { color: var(--number); }

    .group > h2 { margin: 4.5rem 0 0; padding-bottom: .75rem; font-size: 1.75rem; border-bottom: 1px solid var(--line); }
    article { padding: 2.5rem 0; border-bottom: 1px solid var(--line); }
    article:last-child { border-bottom: 0; }
    .path { display: flex; gap: .6rem; align-items: baseline; margin: 0 0 .75rem; }
    .path code { font-size: .9375rem; padding: 0; background: none; }
    .path span, .type, .needs, .statuses { color: var(--quiet); }
    .method {
      font: 600 .6875rem/1.7 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace;
      padding: 0 .45rem; border-radius: 4px; background: color-mix(in srgb, currentColor 12%, transparent);
    }
    .get { color: var(--get); } .post { color: var(--post); } .put { color: var(--put); }
    .patch { color: var(--patch); } .delete { color: var(--delete); }
    .needs { font-size: .875rem; }
    dl { margin: 0; border-top: 1px solid var(--line); }
    dt { padding-top: .55rem; }
    dt code { font-weight: 600; }
    dd { margin: 0; padding-bottom: .55rem; font-size: .9375rem; border-bottom: 1px solid var(--line); }
    dd:empty { padding-bottom: .55rem; }
    .type, .required { font-size: .8125rem; }
    .required { color: var(--delete); }
    .depth-1 { padding-left: 1.25rem; } .depth-2 { padding-left: 2.5rem; } .depth-3 { padding-left: 3.75rem; }
    details { margin-top: .9rem; font-size: .9375rem; }
    summary { cursor: pointer; color: var(--accent); font-size: .875rem; }
    .statuses { font-variant-numeric: tabular-nums; font-size: .8125rem; }

    .sample, .reply { border: 1px solid var(--line); border-radius: 8px; background: var(--panel); overflow: hidden; }
    .sample pre, .reply pre { margin: 0; border: 0; border-radius: 0; max-height: 34rem; overflow: auto; }
    .reply { margin-top: 1rem; }
    .tabs { display: flex; overflow-x: auto; border-bottom: 1px solid var(--line); }
    .tabs label {
      padding: .55rem .9rem; color: var(--quiet); font-size: .8125rem; cursor: pointer;
      border-bottom: 2px solid transparent; margin-bottom: -1px;
    }
    .tabs label:hover { color: var(--text); }
    .status { padding: .55rem 1rem; font-size: .8125rem; color: var(--quiet); }
    .status b { color: var(--get); }
    .status + pre { border-top: 1px solid var(--line); }
    .sample pre { display: none; }
    #language-curl:checked ~ .page pre.curl, #language-python:checked ~ .page pre.python,
    #language-javascript:checked ~ .page pre.javascript, #language-php:checked ~ .page pre.php { display: block; }
    #language-curl:checked ~ .page label.curl, #language-python:checked ~ .page label.python,
    #language-javascript:checked ~ .page label.javascript, #language-php:checked ~ .page label.php {
      color: var(--text); border-bottom-color: var(--accent);
    }
    .choice:focus-visible ~ .page .tabs { outline: 2px solid var(--accent); outline-offset: -2px; }

    @media (min-width: 75rem) {
      article { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 3rem; }
      article .code { position: sticky; top: 1.5rem; align-self: start; }
    }
    @media (max-width: 74.99rem) { article { max-width: 46rem; } article .code { margin-top: 1.5rem; } }
    @media (max-width: 52rem) {
      html { scroll-padding-top: 4.25rem; }
      .page { display: block; }
      .bar {
        display: flex; justify-content: space-between; align-items: center; position: sticky; top: 0; z-index: 1;
        padding: .7rem 1rem; background: var(--page); border-bottom: 1px solid var(--line);
      }
      .bar label { padding: .25rem .75rem; border: 1px solid var(--line); border-radius: 6px; font-size: .875rem; }
      nav { display: none; position: static; height: auto; border: 0; border-bottom: 1px solid var(--line); }
      nav .brand { display: none; }
      nav li a { padding: .45rem 0; }
      #menu:checked ~ .page nav { display: block; }
      #menu:focus-visible ~ .page .menu { outline: 2px solid var(--accent); }
      .title { padding-top: 2rem; }
    }
    @media print {
      nav, .bar, .tabs { display: none; }
      .page { display: block; }
      details > * { display: block; }
      pre { white-space: pre-wrap; }
    }

    """
}
