import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
import{h as a,i as b,j as c,k as d,l as e,m as f,n as g,o as h,p as i}from"./chunk-2TBCZQMX.js";import"./chunk-SE6Z6Z5M.js";export{f as DataError,e as InputError,g as ModelError,h as NativeError,i as PeerError,d as PolicyError,c as SluiceError,a as describePlace,b as describeProblem};
