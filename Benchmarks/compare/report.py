"""The results of a run, as a Markdown table and as a chart."""

import statistics

from chart import draw


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
    """The medians with their ranges; with Apus among others, its ratios to the best of them and to the floor, and
    whether its budget is met."""
    names = [proxy.name for proxy in proxies]
    compares = "apus" in names and len(names) > 1
    has_floor = "apus" in names and "floor" in names
    head = ["work", *[f"{proxy.title} {proxy.version()}" for proxy in proxies]]
    head += ["Apus ÷ best other"] if compares else []
    head += ["Apus ÷ floor"] if has_floor else []
    head += ["must reach"] if compares else []
    lines = [head]
    for row in rows:
        line = [f"{row.title}, {row.unit}"]
        for proxy in proxies:
            if proxy.name in row.without:
                line.append("–")
                continue
            median, least, largest = figures(results[row.name, proxy.name])
            line.append(f"{number(median)} ({number(least)}–{number(largest)})")
        if compares:
            ratios = ratios_of_apus(row, names, results)
            line += [f"{ratio:.2f}" if ratio else "–" for ratio in ([ratios["best"], ratios["floor"]] if has_floor
                                                                    else [ratios["best"]])]
            line.append(verdict(row.budget, ratios))
        lines.append(line)
    return table(lines)


def ratios_of_apus(row, names, results):
    """What Apus costs, as it is and divided by what the best other and the floor cost; None where there is none."""
    medians = {name: figures(results[row.name, name])[0] for name in names if name not in row.without}
    apus = medians.pop("apus")
    floor = medians.pop("floor", None)
    best = min(medians.values(), default=None)
    return {"B": apus, "best": apus / best if best else None, "floor": apus / floor if floor else None}


def verdict(budget, ratios):
    """A budget, and whether it is met; a dash where there is none, or nothing to compare with."""
    if not budget or ratios[budget.of] is None:
        return "–"
    return f"{budget} {'hit' if ratios[budget.of] <= budget.most else 'MISS'}"


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
    """Bars of medians, one group for each row."""
    groups = []
    for row in rows:
        able = [proxy for proxy in proxies if proxy.name not in row.without]
        medians = [figures(results[row.name, proxy.name])[0] for proxy in able]
        groups.append((row.title, row.unit, [(proxy.title, number(median), median)
                                             for proxy, median in zip(able, medians)]))
    return draw(groups)
