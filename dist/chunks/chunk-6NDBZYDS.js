import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);
var n={name:"sluice",version:"0.1.0"};export{n as a};
