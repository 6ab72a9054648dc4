import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
import{a,b,c,d,e}from"./chunk-ZYJYRRML.js";import"./chunk-MEHOFT72.js";import"./chunk-XIMD6DGG.js";import"./chunk-SE6Z6Z5M.js";export{b as isS3Address,a as openS3,c as s3AddressOf,d as s3Problem,e as verifyBucket};
