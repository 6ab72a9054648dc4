import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
import{a,b,c,d,e}from"./chunk-2JVHIVCK.js";import"./chunk-ZIGIDVW2.js";import"./chunk-7HT54G4C.js";import"./chunk-SE6Z6Z5M.js";export{b as isS3Address,a as openS3,c as s3AddressOf,d as s3Problem,e as verifyBucket};
