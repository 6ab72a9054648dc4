import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
import{a,b,c,d,e}from"./chunk-3DBZ4K72.js";import"./chunk-ET5J27FR.js";import"./chunk-MOSG64MB.js";import"./chunk-SE6Z6Z5M.js";export{b as isS3Address,a as openS3,c as s3AddressOf,d as s3Problem,e as verifyBucket};
