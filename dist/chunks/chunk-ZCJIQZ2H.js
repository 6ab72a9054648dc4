import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
var e={logSeverityLevel:4},t={executionProviders:["cpu"],intraOpNumThreads:1,interOpNumThreads:1,executionMode:"sequential",graphOptimizationLevel:"all",...e};export{e as a,t as b};
