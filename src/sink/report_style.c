/* Style and script of report.html. Fonts are the reader's own; colors keep a contrast of 4.5 on their
 * ground, and no meaning rests on color alone. On a phone each row of the table becomes a card. */
#include "sink/report_style.h"

#include <stddef.h>

const char *const hlrp_report_css[] = {
    ":root{--ink:#1c2330;--soft:#5a6473;--line:#d9dee6;--paper:#fff;--ground:#f5f6f8;--for:#8f1"
    "d1d;--against:#123f7a;--warn:#8a4b00;--warnbg:#fff4e0}\n",
    "*{box-sizing:border-box}\n",
    "html{-webkit-text-size-adjust:100%}\n",
    "body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,\"Segoe UI"
    "\",Roboto,\"Helvetica Neue\",Arial,\"DejaVu Sans\",sans-serif}\n",
    "main,header.page,footer{max-width:76rem;margin:0 auto;padding:0 1.25rem}\n",
    "header.page{padding-top:1.75rem}\n",
    "h1{font-size:1.6rem;line-height:1.2;margin:0 0 .25rem;letter-spacing:-.01em}\n",
    "h2{font-size:1.2rem;margin:0;overflow-wrap:anywhere}\n",
    "h3{font-size:.95rem;margin:0 0 .5rem}\n",
    "p{margin:.25rem 0 .75rem}\n",
    "a{color:#0b5394}\n",
    "a:focus-visible,button:focus-visible{outline:3px solid #f0a000;outline-offset:2px;border-r"
    "adius:3px}\n",
    ".lead,.note,.facts,figcaption,footer{color:var(--soft)}\n",
    ".note,figcaption{font-size:.82rem}\n",
    ".chips{display:flex;flex-wrap:wrap;gap:.5rem;list-style:none;padding:0;margin:.75rem 0 1.2"
    "5rem}\n",
    ".chips li{background:var(--paper);border:1px solid var(--line);border-radius:1rem;padding:"
    ".15rem .8rem}\n",
    ".state{display:inline-block;border-radius:1rem;padding:0 .6rem;font-size:.82rem;border:1px"
    " solid;white-space:nowrap}\n",
    ".state.complete{color:#14532d;border-color:#8fbf9f;background:#eef8f0}\n",
    ".state.empty,.state.pending{color:#3f4856;border-color:#b6bdc8;background:#f0f2f5}\n",
    ".state.failed{color:#7a1212;border-color:#d99;background:#fdeeee}\n",
    ".state.interrupted,.state.running{color:#6b4000;border-color:#d9b679;background:#fff6e4}\n",
    ".alarm,.calm{border-radius:.5rem;padding:.75rem 1rem;margin:0 0 1.25rem;border:1px solid}\n",
    ".alarm{border-color:#e0a040;background:var(--warnbg);color:#5a3200}\n",
    ".alarm h2{font-size:1.05rem}.alarm ul{margin:.35rem 0 0;padding-left:1.2rem}\n",
    ".alarm p:last-child{margin-bottom:0}.slide>.alarm{margin:.6rem 0 .75rem}\n",
    ".calm{border-color:#b7d3bd;background:#f2f9f3;color:#1d4428}\n",
    ".scroll{overflow-x:auto;background:var(--paper);border:1px solid var(--line);border-radius"
    ":.5rem}\n",
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\n",
    "caption{text-align:left;padding:.6rem .75rem;color:var(--soft);font-size:.85rem}\n",
    "th,td{padding:.4rem .6rem;text-align:left;vertical-align:top;border-top:1px solid var(--li"
    "ne)}\n",
    ".batch td.n,.ground td:not(:last-child),.layers td:nth-child(n+3){white-space:nowrap}\n",
    "thead th{border-top:0;font-size:.82rem;color:var(--soft);vertical-align:bottom;background:"
    "#fafbfc}\n",
    "tbody th{font-weight:600;overflow-wrap:anywhere}\n",
    ".batch tbody th{min-width:8rem}.batch td:last-child{min-width:11rem}\n",
    "th button{font:inherit;font-weight:600;color:inherit;background:none;border:0;padding:0;cu"
    "rsor:pointer;text-align:left}\n",
    "th button::after{content:\" \\2195\";color:#9aa3b0}\n",
    "th[aria-sort=ascending] button::after{content:\" \\2191\";color:var(--ink)}\n",
    "th[aria-sort=descending] button::after{content:\" \\2193\";color:var(--ink)}\n",
    ".bar{display:inline-block;width:3.2rem;height:.6rem;background:#e7eaef;border-radius:.15re"
    "m;margin-right:.45rem;overflow:hidden;vertical-align:baseline}\n",
    ".bar i{display:block;height:100%;background:#6b7685}\n",
    ".bar.plus i{background:#a32a2a}.bar.minus i{background:#2a5d9f}.bar.suspect i{background:#"
    "c77700}\n",
    ".balance{display:inline-flex;width:6rem;height:.6rem;border-radius:.15rem;overflow:hidden;"
    "vertical-align:baseline;margin-right:.45rem;background:#e7eaef}\n",
    ".balance i{display:block;height:100%}.balance .m{background:#2a5d9f}.balance .p{background"
    ":#a32a2a}\n",
    ".for{color:var(--for)}.against{color:var(--against)}\n",
    ".why{color:#7a1212;overflow-wrap:anywhere;font-size:.85rem}\n",
    ".warn,.warnings{color:var(--warn);font-size:.85rem}\n",
    ".warnings{list-style:none;margin:.35rem 0 .6rem;padding:0;overflow-wrap:anywhere}\n",
    ".warnings li{padding-left:1.3rem;text-indent:-1.3rem}.warn::before,.warnings li::before{con"
    "tent:\"\\26A0\";display:inline-block;width:1.3rem;text-indent:0}\n",
    "tr.accused th,tr.accused td{background:var(--warnbg);color:#5a3200}\n",
    "section.slide{background:var(--paper);border:1px solid var(--line);border-radius:.6rem;pad"
    "ding:1rem 1.1rem 1.2rem;margin:1.25rem 0}\n",
    ".title{display:flex;flex-wrap:wrap;align-items:baseline;gap:.25rem .75rem}\n",
    ".title .top{margin-left:auto;font-size:.82rem}\n",
    ".views{display:grid;grid-template-columns:minmax(0,2fr) minmax(0,3fr);gap:1rem;margin:.5re"
    "m 0 1rem;align-items:start}\n",
    ".views:not(:has(.regions)){grid-template-columns:minmax(0,1fr)}\n",
    "figure{margin:0}\n",
    "img{display:block;max-width:100%;height:auto}\n",
    ".views img{width:100%;border:1px solid var(--line);border-radius:.25rem;background:#fff}\n",
    ".frame{display:block;position:relative}\n",
    ".scale{position:absolute;left:.8rem;bottom:.8rem;border-bottom:4px solid #111;box-shadow:0"
    " 2px 0 #fff;min-width:1rem}\n",
    ".scale span{display:block;width:max-content;font-size:.78rem;line-height:1.3;background:rg"
    "ba(255,255,255,.85);padding:0 .3rem;border-radius:.2rem;margin-bottom:2px}\n",
    ".colors{display:flex;flex-wrap:wrap;align-items:center;gap:.25rem .5rem;margin:.4rem 0 .2r"
    "em;color:var(--ink)}\n",
    ".ramp{flex:1 1 6rem;height:.8rem;border:1px solid #aab2bd;border-radius:.15rem}\n",
    ".cards{display:grid;grid-template-columns:minmax(0,3fr) minmax(0,2fr);gap:1rem;margin-bott"
    "om:1rem}\n",
    ".card.wide{grid-column:1/-1}\n",
    ".card{border:1px solid var(--line);border-radius:.5rem;padding:.8rem .9rem;min-width:0;ove"
    "rflow-x:auto}\n",
    ".card table{font-size:.85rem}.ground th{white-space:nowrap;overflow-wrap:normal}.ground th"
    "ead th{white-space:normal}.layers th[scope=row]{min-width:8rem;font-weight:400}\n",
    ".card th,.card td{padding:.25rem .4rem}\n",
    ".histogram{width:100%;max-width:24rem;height:auto}\n",
    ".histogram rect{fill:#4a5f80}.histogram line{stroke:#8a94a3;stroke-width:.5}.histogram tex"
    "t{font-size:8px;fill:var(--soft)}\n",
    ".verdict{font-size:1.1rem;margin:.6rem 0 .4rem}\n",
    ".classes,.account{width:auto;font-size:.85rem;margin:0 0 .75rem}.classes th,.classes td,.accou"
    "nt th,.account td{padding:.2rem .8rem .2rem .4rem}.classes tbody th,.account tbody th{font-wei"
    "ght:400}.classes .called th{font-weight:700}\n",
    ".account td{white-space:nowrap}\n",
    ".two{display:flex;flex-wrap:wrap;align-items:flex-start;gap:1rem;margin-bottom:1rem}.two .card"
    "{flex:1 1 auto;max-width:100%}\n",
    ".bag td{white-space:nowrap}.bag thead th{vertical-align:top}.bag img{display:inline-block;widt"
    "h:4.5rem;max-width:none;margin-right:2px;border-radius:.2rem;border:1px solid "
    "var(--line)}.tile "
    ".note{display:block}\n",
    ".pairs{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,15rem),1fr));ga"
    "p:1rem}\n",
    ".pair{display:grid;grid-template-columns:1fr 1fr;gap:2px}\n",
    ".pair img{width:100%;border-radius:.2rem;border:1px solid var(--line)}\n",
    ".pair figcaption{grid-column:1/-1;margin-top:.2rem}\n",
    "code{font-family:ui-monospace,\"DejaVu Sans Mono\",Menlo,Consolas,monospace;font-size:.92e"
    "m;user-select:all;background:#eef1f5;border-radius:.2rem;padding:0 .25rem}\n",
    "footer{padding-top:1rem;padding-bottom:2rem;font-size:.82rem}\n",
    "@media (max-width:46rem){\n",
    "main,header.page,footer{padding-left:.8rem;padding-right:.8rem}\n",
    ".views,.cards{grid-template-columns:minmax(0,1fr)}.regions{order:2}\n",
    ".ground .bar{display:none}\n",
    ".scroll{border:0;background:none;overflow:visible}\n",
    ".batch,.batch tbody,.batch tr,.batch th,.batch td{display:block}\n",
    ".batch caption{display:block;padding-left:0}\n",
    ".batch thead{display:block;margin-bottom:.5rem}\n",
    ".batch thead tr{display:flex;flex-wrap:wrap;gap:.4rem}\n",
    ".batch thead th{display:inline-block;border:1px solid var(--line);border-radius:1rem;paddi"
    "ng:.1rem .6rem;background:var(--paper)}\n",
    ".batch tbody tr{background:var(--paper);border:1px solid var(--line);border-radius:.5rem;m"
    "argin-bottom:.75rem;padding:.5rem .8rem}\n",
    ".batch tbody tr.accused{background:var(--warnbg)}\n",
    ".batch tbody th,.batch tbody td{border:0;padding:.15rem 0;min-width:0}\n",
    ".batch tbody td{display:flex;gap:.6rem;white-space:normal!important}\n",
    ".batch tbody td:empty{display:none}\n",
    ".batch tbody td::before{content:attr(data-label);flex:0 0 7.5rem;color:var(--soft);font-si"
    "ze:.85rem}\n",
    "}\n",
    "@media print{\n",
    "*{-webkit-print-color-adjust:exact;print-color-adjust:exact}\n",
    "body{background:#fff;font-size:10pt}.batch{font-size:8.5pt}.batch th,.batch td{padding:.25re"
    "m .35rem}\n",
    "main,header.page,footer{max-width:none;padding:0}\n",
    "section.slide{border:0;padding:0;break-before:page}\n",
    ".card,.pair,tr,.views{break-inside:avoid}\n",
    ".scroll{border:0;overflow:visible}.top,th button::after{display:none}\n",
    ".pairs{grid-template-columns:repeat(3,1fr)}\n",
    ".views{grid-template-columns:minmax(0,1fr) minmax(0,1fr)}\n",
    ".card{overflow:visible}.ground .bar{width:1.6rem}.cards{grid-template-columns:minmax(0,7fr"
    ") minmax(0,4fr)}\n",
    "a{color:inherit;text-decoration:none}\n",
    "th,td{padding:.2rem .35rem}\n",
    "}\n",
    "@media (max-width:72rem) and (min-width:46.01rem){\n",
    ".batch .bar,.batch .balance{display:none}\n",
    ".batch th,.batch td{padding:.35rem .4rem}\n",
    ".batch{font-size:.9rem}\n",
    "}\n",
    NULL};

const char hlrp_report_js[] =
    "(function(){\n"
    "\"use strict\";\n"
    "var table=document.querySelector(\"table.batch\");\n"
    "if(!table)return;\n"
    "var body=table.tBodies[0],heads=Array.prototype.slice.call(table.tHead.rows[0].cells);\n"
    "function key(row,i){var v=row.cells[i].getAttribute(\"data-v\");return v===null?\"\":v}\n"
    "function compare(a,b,up){\n"
    "if(a===\"\"||b===\"\")return a===b?0:a===\"\"?1:-1;\n"
    "var x=Number(a),y=Number(b),d=isNaN(x)||isNaN(y)?a.localeCompare(b,undefined,{numeric:true"
    "}):x-y;\n"
    "return up?d:-d}\n"
    "heads.forEach(function(head,i){\n"
    "var button=head.querySelector(\"button\");\n"
    "if(!button)return;\n"
    "button.addEventListener(\"click\",function(){\n"
    "var now=head.getAttribute(\"aria-sort\"),first=head.hasAttribute(\"data-down\")?\"descendi"
    "ng\":\"ascending\";\n"
    "var next=now===null?first:now===\"ascending\"?\"descending\":\"ascending\";\n"
    "heads.forEach(function(h){h.removeAttribute(\"aria-sort\")});\n"
    "head.setAttribute(\"aria-sort\",next);\n"
    "Array.prototype.slice.call(body.rows).map(function(row,n){return{row:row,n:n}}).sort(funct"
    "ion(a,b){\n"
    "return compare(key(a.row,i),key(b.row,i),next===\"ascending\")||a.n-b.n\n"
    "}).forEach(function(item){body.appendChild(item.row)})})})})();\n";
