import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
import{a}from"./chunk-AASM7CHI.js";import"./chunk-NJDAVCWY.js";export default a();
