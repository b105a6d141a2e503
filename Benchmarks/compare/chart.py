"""The chart of what a request costs. Run by itself it draws the first table of a page whose head begins with "work":

    chart.py README.md docs/bench.svg
"""

import re
import sys

COLOURS = {"haproxy": "#8a94a6", "nginx": "#5b8c7b", "nghttpx": "#7a6fa8", "floor": "#c2b280", "apus": "#d9622b"}
BAR, GAP, LEFT, TOP, WIDTH = 16, 16, 250, 64, 760


def draw(groups):
    """Bars, one group for each row: (title, unit, [(proxy, text of the figure, figure)]). Every group has its own
    scale, so the numbers stand beside the bars."""
    height = TOP + sum(len(bars) * BAR + GAP for _, _, bars in groups)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        '<text x="16" y="26" font-size="16" font-weight="bold" fill="#222222">What one request costs the proxy</text>',
        '<text x="16" y="46" fill="#555555">CPU time per request in µs, memory in bytes; medians; shorter is better'
        '</text>',
    ]
    y = TOP
    for title, unit, bars in groups:
        largest = max(figure for _, _, figure in bars) or 1
        parts.append(f'<text x="16" y="{y + len(bars) * BAR / 2 + 4:.0f}" fill="#222222">{title}</text>')
        for proxy, text, figure in bars:
            length = max(2, figure / largest * (WIDTH - LEFT - 190))
            colour = COLOURS[proxy.split()[0].lower()]
            parts.append(f'<rect x="{LEFT}" y="{y}" width="{length:.0f}" height="{BAR - 3}" rx="2" fill="{colour}"/>')
            parts.append(f'<text x="{LEFT + length + 8:.0f}" y="{y + BAR - 6}" fill="#222222">'
                         f'{text} {unit} · {proxy}</text>')
            y += BAR
        y += GAP
    return "\n".join([*parts, "</svg>", ""])


def read(page):
    """The groups of the first table of a Markdown page whose head begins with "work"."""
    lines = [[cell.strip() for cell in line.strip().strip("|").split("|")]
             for line in page.splitlines() if line.startswith("|")]
    start = next(index for index, line in enumerate(lines) if line[0] == "work")
    columns = [(column, title) for column, title in enumerate(lines[start])
               if title and title.split()[0].lower() in COLOURS and "÷" not in title]
    groups = []
    for line in lines[start + 2:]:
        if len(line) != len(lines[start]):
            break
        title, unit = line[0].rsplit(", ", 1)
        found = [(proxy, re.match(r"[\d.,]+", line[column])) for column, proxy in columns]
        groups.append((title, unit, [(proxy, match[0], float(match[0].replace(",", ""))) for proxy, match in found
                                     if match]))
    return groups


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as page:
        text = draw(read(page.read()))
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(text)
