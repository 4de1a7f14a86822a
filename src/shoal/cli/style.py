"""The look of a report."""

from __future__ import annotations

from shoal.cli.plots import PALETTE

__all__ = ["CSS"]


def variables(theme: str) -> str:
    """Return the colours of the plots in a theme."""
    return "".join(f"{name}:{colour};" for name, colour in PALETTE[theme].items())


CSS = (
    ":root{color-scheme:light dark;--page:#f6f8fa;--card:#fff;--text:#1c2733;"
    f"--good:#17713a;--half:#8a5a00;--bad:#b3261e;{variables('light')}}}"
    "@media(prefers-color-scheme:dark){:root{--page:#11161d;--card:#1a212b;--text:#e4eaf1;"
    f"--good:#5fcf8a;--half:#e5b454;--bad:#ff8a80;{variables('dark')}}}}}"
    """
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main,footer{max-width:52rem;margin:0 auto;padding:0 1rem}
header{padding:2rem 0 .5rem}
h1{margin:0;font-size:1.7rem;overflow-wrap:anywhere}
h2{margin:0 0 .4rem;font-size:1.15rem}
header p,section>p{margin:.1rem 0 .8rem;color:var(--ink)}
section,aside,.cards>div{background:var(--card);border:1px solid var(--grid);border-radius:.6rem}
section,aside{padding:1rem;margin:1rem 0}
aside{border-left:.3rem solid var(--half)}
aside ul{margin:.3rem 0 0;padding-left:1.2rem}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(13rem,1fr));gap:1rem;margin:1rem 0}
.cards>div{padding:.8rem 1rem}
.cards b{display:block;font-size:1.6rem;line-height:1.3;color:var(--c1)}
.cards span{color:var(--ink);font-size:.9rem}
figure{margin:0 0 1rem}
svg{display:block;width:100%;height:auto;max-width:36rem;margin:0 auto}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.92rem;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .6rem;border-bottom:1px solid var(--grid);vertical-align:top}
tr:last-child td{border-bottom:0}
th{color:var(--ink);font-weight:600}
.w{text-align:left}.n{text-align:right;white-space:nowrap}
.good{color:var(--good)}.half{color:var(--half)}.bad{color:var(--bad)}
.label{margin:.6rem 0 .2rem}
.stack{display:flex;height:1.1rem;border-radius:.3rem;overflow:hidden;background:var(--grid)}
.keys{display:flex;flex-wrap:wrap;gap:.2rem 1rem;margin:.3rem 0 1rem;padding:0;
list-style:none;font-size:.85rem;color:var(--ink)}
.keys i{display:inline-block;width:.7rem;height:.7rem;border-radius:.15rem;margin-right:.35rem}
.p0{background:var(--c1)}.p1{background:#8e6bbf}.p2{background:#5b8c3a}
.p3{background:#c2a11d}.p4{background:#b0567e}.p5{background:var(--c2)}.p6{background:var(--c3)}
pre{overflow-x:auto;font-size:.8rem;margin:.4rem 0 0}
summary{cursor:pointer}
footer{padding:1rem;color:var(--ink);font-size:.85rem}
@media(max-width:34rem){main,footer{padding:0 .6rem}section,aside{padding:.8rem}
table{font-size:.8rem}th,td{padding:.25rem .3rem}
.cards{gap:.6rem}.cards b{font-size:1.3rem}}
@media print{section,aside{break-inside:avoid}}
"""
)
