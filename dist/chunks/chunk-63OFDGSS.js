import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
import{a as E}from"./chunk-ZDIDZCUS.js";import{a as x}from"./chunk-IUQZOEFX.js";import{a as g,e as y}from"./chunk-ET5J27FR.js";import{i as m}from"./chunk-MOSG64MB.js";import{a as r,f as C}from"./chunk-SE6Z6Z5M.js";function v(e){return e.option("--json","only JSON on standard output").option("--quiet","no log; of the report only the verdict and what is wrong").option("--no-color","no colour; NO_COLOR and FORCE_COLOR are read too").option("--debug","with an unexpected error show the stack; so does SLUICE_DEBUG=1")}r(v,"addCommonFlags");var O=C(x(),1);var S=25;function P(e,o){let d=O.default.createColors(o.colour),l=o.debug&&e instanceof Error?`${q(e)}
`:"";if(e instanceof y){let u=e.problems.length-S,f=u>0?`${d.dim(`and ${u} more like these`)}
`:"";return`${e.problems.slice(0,S).map(c=>k(c,d)).join("")}${f}${l}`}let i=e instanceof Error?e.message:String(e),a=o.debug?"":`  ${d.dim("This is not one of the errors Sluice knows. --debug shows where it comes from.")}
`;return`${d.red("error")} ${m(i)}
${a}${l}`}r(P,"renderError");function k(e,{bold:o,cyan:d,dim:l,red:i}){let a=g(e.place);if(e.code==="more-problems")return`${l(m(e.message))}
`;let u=[e.found===void 0?void 0:`found ${e.found}`,e.expected===void 0?void 0:`expected ${e.expected}`].filter(t=>t!==void 0),f=m(`${e.message}${u.length===0?"":`: ${u.join(", ")}`}`);return`${a===""?`${i("error")} ${f}`:`${i("error")} ${o(a)}
  ${f}`}
${e.fix===void 0?"":`  ${d("fix:")} ${m(e.fix)}
`}`}r(k,"renderProblem");function q(e){let o=(e.stack??e.message).split(`
`).map(m).join(`
`);return e.cause instanceof Error?`${o}
Caused by: ${q(e.cause)}`:o}r(q,"stackOf");var H=C(x(),1);var T=24,N=80;function I(e,o){let{bold:d,cyan:l,dim:i,red:a,yellow:u}=H.default.createColors(o.colour),f=o.now??(()=>performance.now()),c="",t=r(n=>{let s=c===""?"":"\r\x1B[K";e.write(`${s}${n}
${c}`)},"line"),p=r((n,s)=>{let $=g(s);return`${$===""?"":`${i($)} `}${m(n)}`},"located");return{async group(n,s){return o.quiet||t(d(l(`▸ ${m(n)}`))),s()},info:r(n=>{o.quiet||t(`  ${n.split(`
`).map(m).join(`
  `)}`)},"info"),notice:r((n,s)=>{o.quiet||t(`  ${p(n,s)}`)},"notice"),warning:r((n,s)=>t(`${u("warning")} ${p(n,s)}`),"warning"),error:r((n,s)=>t(`${a("error")} ${p(n,s)}`),"error"),progress(n){if(o.quiet||!o.animate)return{update:r(()=>{},"update"),end:r(()=>{},"end")};let s=Number.NEGATIVE_INFINITY;return{update($,b){if(f()-s<N&&$<b)return;s=f();let h=b>0?Math.min(1,Math.max(0,$/b)):0,w=Math.round(h*T),j=`${Math.floor(h*100)}%`.padStart(4);c=`  ${l("━".repeat(w))}${i("━".repeat(T-w))}${j}  ${m(n)}`,e.write(`\r\x1B[K${c}`)},end(){c!==""&&e.write("\r\x1B[K"),c=""}}},summary:r(async()=>{},"summary"),output:r(()=>{},"output"),secret:r(()=>{},"secret")}}r(I,"terminalHost");async function W(e,o,d){let{stdout:l,stderr:i,environment:a}=e.streams,u=E(i,a,o.color),f=(a.CI??"")!==""&&a.CI!=="false",c=I(i,{colour:u,quiet:o.quiet===!0,animate:i.isTTY===!0&&!f&&a.TERM!=="dumb"});try{e.exitCode=await d(c)}catch(t){e.exitCode=1;let p=o.debug===!0||(a.SLUICE_DEBUG??"")!=="";if(i.write(P(t,{colour:u,debug:p})),o.json===!0){let n=t instanceof y?t.problems:[{code:"unexpected",message:t instanceof Error?t.message:String(t)}];l.write(`${JSON.stringify({verdict:"error",problems:n},null,2)}
`)}}}r(W,"perform");export{v as a,W as b};
