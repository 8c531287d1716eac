"""The style of the HTML report: light, dark, narrow and printed."""

CSS = """
:root{color-scheme:light dark;--page:#f5f6f8;--card:#fff;--ink:#18202b;--quiet:#566273;
--line:#dde2e9;--s1:#b3480b;--s2:#7a3fb0;
--good:#14702f;--bad:#b3261e;--warn:#8a5200;--info:#1c5fb8;--good-bg:#e4f4e8;--bad-bg:#fdeae8;
--warn-bg:#fcf1dc;--info-bg:#e7f0fb;--still-bg:#eceff3;--code:#eef1f5}
@media (prefers-color-scheme:dark){:root{--page:#0e1319;--card:#161d26;--ink:#e4e9f0;
--quiet:#9aa8b8;
--line:#2a3442;--s1:#f2a263;--s2:#c9a0f5;--good:#5fce82;--bad:#ff8a80;--warn:#e9b25b;--info:#82b6ff;--good-bg:#12301d;
--bad-bg:#3a1a1a;--warn-bg:#352812;--info-bg:#14273f;--still-bg:#222b37;--code:#202a36}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);line-height:1.5;overflow-wrap:anywhere;
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
font-size:16px}
main,footer{max-width:64rem;margin:0 auto;padding:0 1.25rem}
main{padding-top:1.5rem}
h1,h2,h3{line-height:1.25;margin:0}
h1{font-size:1.6rem;letter-spacing:-.01em}
h2{font-size:1.15rem}
h3{font-size:1rem}
p{margin:.35rem 0}
a{color:var(--info)}
a:focus-visible,summary:focus-visible{outline:2px solid var(--info);outline-offset:2px}
code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
font-size:.88em;
background:var(--code);border-radius:4px;padding:.1em .35em}
.quiet{color:var(--quiet);font-size:.9rem}
section,.banner{background:var(--card);border:1px solid var(--line);border-radius:12px;
padding:1.15rem 1.35rem;margin:0 0 1.1rem}
section>h2{display:flex;flex-wrap:wrap;gap:.6rem;align-items:center}
.banner{border-left:8px solid var(--quiet);padding:1.35rem 1.5rem}
.banner.pass{border-left-color:var(--good)}
.banner.fail,.banner.error{border-left-color:var(--bad)}
.banner.pending{border-left-color:var(--warn)}
.banner .brand{color:var(--quiet);font-size:.85rem;font-weight:600;letter-spacing:.04em;
margin:0 0 .5rem}
.banner h1{display:flex;flex-wrap:wrap;gap:.75rem;align-items:center}
.banner h1 .badge{font-size:.62em}
.facts{display:grid;
grid-template-columns:repeat(auto-fit,minmax(min(11rem,45%),1fr));gap:.5rem 1.5rem;
margin:1rem 0 0}
.facts dt{color:var(--quiet);font-size:.8rem}
.facts dd{margin:0}
.facts>:last-child{grid-column:1/-1}
.badge{display:inline-block;border-radius:6px;padding:.1rem .55rem;font-size:.75rem;font-weight:700;
letter-spacing:.04em;white-space:nowrap;background:var(--still-bg);color:var(--quiet)}
.badge.pass{background:var(--good-bg);color:var(--good)}
.badge.fail,.badge.error,.badge.failure,.badge.unknown{background:var(--bad-bg);color:var(--bad)}
.badge.pending,.badge.warning{background:var(--warn-bg);color:var(--warn)}
.badge.note{background:var(--info-bg);color:var(--info)}
ol.steps{margin:.6rem 0 0;padding-left:1.5rem}
ol.steps li{margin:.45rem 0;padding-left:.2rem}
ol.steps p{margin:.1rem 0}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.93rem;margin-top:.5rem}
th,td{text-align:left;vertical-align:top;padding:.45rem .9rem .45rem 0;
border-bottom:1px solid var(--line)}
tbody tr:last-child>*{border-bottom:0}
thead th{color:var(--quiet);font-size:.8rem;font-weight:600;overflow-wrap:normal}
tbody th{font-weight:600;white-space:nowrap}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
figure .scroll td,figure .scroll th{overflow-wrap:normal;min-width:4.5rem}
.group{border-top:1px solid var(--line);margin-top:1rem;padding-top:1rem}
.group h3{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center;font-weight:600}
.group h3 a{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.92em}
.group ul{list-style:none;margin:.5rem 0;padding:0}
.group li{padding:.25rem 0}
.group li code{margin-right:.35rem}
.remedy{border-left:3px solid var(--info);background:var(--info-bg);border-radius:0 6px 6px 0;
padding:.45rem .8rem;margin:.5rem 0 0;font-size:.95rem}
.remedy b{color:var(--info)}
details{border-top:1px solid var(--line);margin-top:1rem;padding-top:.7rem}
summary{cursor:pointer;color:var(--quiet);font-size:.93rem;font-weight:600}
.figures{display:flex;flex-wrap:wrap;gap:0 2rem}
figure{margin:1.2rem 0 0;border-top:1px solid var(--line);padding-top:1rem;min-width:0}
figure.wide{flex:1 0 100%}
figure.small{flex:1 1 20rem;max-width:30rem}
figcaption{font-weight:600;margin-bottom:.5rem}
svg{display:block;width:100%;font-size:12px;fill:var(--quiet)}
svg.plot{height:auto}
svg .grid{stroke:var(--line)}
svg .zero{stroke:var(--quiet);stroke-width:1.5;stroke-dasharray:4 3}
svg .name{fill:var(--ink)}
svg .dots{stroke:var(--info);stroke-width:4.5;stroke-linecap:round;stroke-opacity:.55;fill:none}
svg .line{fill:none;stroke-width:2;stroke-linejoin:round}
svg .dashed{stroke-dasharray:6 4}
svg .s0{stroke:var(--info)}svg .mark.s0{fill:var(--info)}
svg .s1{stroke:var(--s1)}svg .mark.s1{fill:var(--s1)}
svg .s2{stroke:var(--s2)}svg .mark.s2{fill:var(--s2)}
svg .mark{stroke-width:1.8}
svg .mark.hollow{fill:var(--card)}
svg.sample{display:inline-block;width:28px;height:12px;margin-right:.35rem;vertical-align:middle}
.trend{display:flex;flex-wrap:wrap;gap:.5rem 2rem;align-items:flex-start}
.trend>svg{flex:1 1 18rem;max-width:30rem}
.trend>.scroll{flex:1 1 18rem;min-width:0}
.trend thead th{white-space:normal;vertical-align:bottom}
.trend tbody th{font-weight:400}
.trend .head>*{font-weight:700}
svg .column{fill:var(--info);fill-opacity:.8}
.row{display:grid;grid-template-columns:minmax(6rem,13rem) 1fr minmax(11rem,auto);gap:0 1rem;
align-items:center}
.row .label{font-size:.93rem}
.row .value{font-size:.85rem;font-variant-numeric:tabular-nums;width:15.5rem}
.row .value b{font-size:.95rem}
.row .below{display:block}
.row .sides{white-space:nowrap}
.row .word{font-weight:600;color:var(--quiet)}
a.source{color:inherit;text-decoration:underline dotted;text-underline-offset:3px}
a.source:hover,a.source:focus-visible{color:var(--info)}
.row .word.bad{color:var(--bad)}
.row .word.good{color:var(--good)}
svg.strip{height:3.1rem;stroke:var(--quiet);stroke-width:2;fill:var(--quiet)}
svg.strip .grid,svg.strip .zero{stroke-width:1}
svg.strip.bad{stroke:var(--bad);fill:var(--bad)}
svg.strip.good{stroke:var(--good);fill:var(--good)}
svg.axis{height:26px;overflow:visible}
.unit{text-align:center;color:var(--ink);font-size:.8rem;margin:0}
dl.rule{margin:.4rem 0 0}
.rule dt{color:var(--quiet);font-size:.8rem;margin-top:.35rem}
.rule dd{margin:0}
dl.record{display:grid;grid-template-columns:minmax(6rem,max-content) 1fr;gap:.15rem 1.2rem;
margin:.4rem 0 0;font-size:.93rem}
.record dt{color:var(--quiet)}
.record dd{margin:0}
article{border-top:1px solid var(--line);padding-top:.9rem;margin-top:.9rem}
article:target{outline:2px solid var(--info);outline-offset:6px;border-radius:4px}
footer{color:var(--quiet);font-size:.85rem;padding-bottom:2rem}
@media (max-width:44rem){main,footer{padding-left:.75rem;padding-right:.75rem}
section,.banner{padding:1rem;border-radius:10px}h1{font-size:1.3rem}
.row{grid-template-columns:1fr;padding:.4rem 0}.row .value{width:auto}.row .below{display:inline}
.row.foot .label,.row.foot .value{display:none}svg.strip{height:2.2rem}
dl.record{grid-template-columns:1fr}.record dd{margin-bottom:.35rem}
.checks thead{display:none}.checks tr{display:block;padding:.5rem 0;
border-bottom:1px solid var(--line)}
.checks th,.checks td{display:inline;border:0;padding:0 .5rem 0 0}.checks td.reason{display:block}
.checks tbody tr:last-child{border-bottom:0}
figure .scroll td:first-child{overflow-wrap:anywhere;min-width:8rem}}
@media print{:root{--page:#fff}body{font-size:11pt}section,.banner{border-radius:0;
break-inside:auto}
figure,.group,tr{break-inside:avoid}main{max-width:none;padding:0}}
"""
