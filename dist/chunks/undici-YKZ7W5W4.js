import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
import{a}from"./chunk-7QGPRNEU.js";import"./chunk-SE6Z6Z5M.js";export default a();
