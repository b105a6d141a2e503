"""What a run found, as a Markdown table and as a chart."""

import statistics

COLOURS = {"haproxy": "#8a94a6", "nginx": "#5b8c7b", "nghttpx": "#7a6fa8", "apus": "#d9622b"}


def figures(samples):
    """Median, least and largest."""
    values = [sample.figure for sample in samples]
    return statistics.median(values), min(values), max(values)


def number(value):
    """Three significant digits."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(lines):
    """An aligned Markdown table; the first line is its head, the first column is text."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]

    def text(line):
        cells = [cell.ljust(width) if index == 0 else cell.rjust(width)
                 for index, (cell, width) in enumerate(zip(line, widths))]
        return "| " + " | ".join(cells) + " |"

    rule = "|" + "|".join("-" * (width + 2) if index == 0 else "-" * (width + 1) + ":"
                          for index, width in enumerate(widths)) + "|"
    return "\n".join([text(lines[0]), rule, *map(text, lines[1:])])


def result_table(rows, proxies, results):
    """The medians with their ranges; with Apus among others, its ratio to the best of them."""
    others = [proxy for proxy in proxies if proxy.name != "apus"]
    compares = len(others) > 0 and len(others) < len(proxies)
    head = ["work", *[f"{proxy.title} {proxy.version()}" for proxy in proxies]]
    lines = [head + (["Apus ÷ best other"] if compares else [])]
    for row in rows:
        line = [f"{row.title}, {row.unit}"]
        for proxy in proxies:
            if proxy.name in row.without:
                line.append("–")
                continue
            median, least, largest = figures(results[row.name, proxy.name])
            line.append(f"{number(median)} ({number(least)}–{number(largest)})")
        if compares:
            able = [proxy for proxy in others if proxy.name not in row.without]
            best = min((figures(results[row.name, proxy.name])[0] for proxy in able), default=None)
            line.append(f"{figures(results[row.name, 'apus'])[0] / best:.2f}" if best else "–")
        lines.append(line)
    return table(lines)


def rate_table(rows, proxies, results):
    """Requests per second, which depend on the load generator too and are no measure of efficiency."""
    lines = [["requests per second", *[proxy.title for proxy in proxies]]]
    for row in rows:
        rates = [[sample.requests_per_second for sample in results[row.name, proxy.name]] for proxy in proxies]
        if any(rates) and all(rate is not None for each in rates for rate in each):
            lines.append([row.title, *[f"{statistics.median(each):,.0f}" if each else "–" for each in rates]])
    return table(lines) if len(lines) > 1 else ""


def throughput_table(rows, proxies, results):
    """Megabytes in the time that a proxy's core works for them, and in the time that passes."""
    head = ["MB per second of CPU time (of wall time)", *[proxy.title for proxy in proxies]]
    lines = [head]
    for row in rows:
        if row.bytes:
            lines.append([row.title, *[_throughput(row, results[row.name, proxy.name]) for proxy in proxies]])
    return table(lines) if len(lines) > 1 else ""


def _throughput(row, samples):
    if not samples:
        return "–"
    rate = statistics.median(sample.requests_per_second for sample in samples)
    return f"{row.bytes / figures(samples)[0]:,.0f} ({row.bytes * rate / 1e6:,.0f})"


def syscall_table(rows, proxies, syscalls):
    """System calls per request."""
    lines = [["system calls per request", *[proxy.title for proxy in proxies]]]
    for row in rows:
        counts = [syscalls.get((row.name, proxy.name)) for proxy in proxies]
        lines.append([row.title, *["–" if count is None else f"{count:.2f}" for count in counts]])
    return table(lines)


def chart(rows, proxies, results):
    """Bars of medians, one group for each row; every group has its own scale, so the numbers stand beside the bars."""
    bar, gap, left, width = 22, 34, 250, 760
    top = 64
    height = top + len(rows) * (len(proxies) * bar + gap)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="13">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        '<text x="16" y="26" font-size="16" font-weight="bold" fill="#222222">What one request costs the proxy</text>',
        '<text x="16" y="46" fill="#555555">CPU time per request in µs, memory in bytes; medians; shorter is better'
        '</text>',
    ]
    y = top + 12
    for row in rows:
        able = [proxy for proxy in proxies if proxy.name not in row.without]
        medians = {proxy.name: figures(results[row.name, proxy.name])[0] for proxy in able}
        largest = max(medians.values())
        middle = y + len(able) * bar / 2 + 4
        parts.append(f'<text x="16" y="{middle:.0f}" fill="#222222">{row.title}</text>')
        for proxy in able:
            length = max(2, medians[proxy.name] / largest * (width - left - 190)) if largest > 0 else 2
            parts.append(f'<rect x="{left}" y="{y}" width="{length:.0f}" height="{bar - 4}" rx="2" '
                         f'fill="{COLOURS[proxy.name]}"/>')
            parts.append(f'<text x="{left + length + 8:.0f}" y="{y + bar - 9}" fill="#222222">'
                         f'{number(medians[proxy.name])} {row.unit} · {proxy.title}</text>')
            y += bar
        y += gap
    return "\n".join([*parts, "</svg>", ""])
