import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
import{a as r}from"./chunk-SE6Z6Z5M.js";function s(u,t,o){if(!o)return!1;let e=t.FORCE_COLOR;return e!==void 0?e!=="0"&&e!=="false":(t.NO_COLOR??"")!==""?!1:u.isTTY===!0&&t.TERM!=="dumb"}r(s,"wantsColour");export{s as a};
