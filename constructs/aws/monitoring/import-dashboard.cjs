// Runs in AWS Lambda, whose runtime brings the SDK. Imports a dashboard and the data source it reads into a Managed Grafana workspace, by
// Grafana's HTTP API. Whoever runs it again gets the same; what was imported stays when the stack goes.
const aws = require('@aws-sdk/client-grafana');

const account = 'sluice-dashboards';
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

exports.handler = async (event, context) => {
  const { ResourceProperties: props, RequestType, StackId, RequestId, LogicalResourceId } = event;
  const left = () => context.getRemainingTimeInMillis() - 30_000;
  const answer = { Status: 'SUCCESS', PhysicalResourceId: `${props.WorkspaceId}/${props.Uid}` };
  try {
    if (RequestType !== 'Delete') answer.Data = { Url: await imported(props, RequestId, left) };
  } catch (error) {
    const told = `${error.name}: ${error.message}`.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 700);
    Object.assign(answer, { Status: 'FAILED', Reason: told });
  }
  console.log(JSON.stringify({ RequestType, ...answer }));
  const body = JSON.stringify({ ...answer, StackId, RequestId, LogicalResourceId });
  for (let tries = 5; ; tries--) {
    const response = await fetch(event.ResponseURL, { method: 'PUT', body, headers: { 'content-type': '' } }).catch(
      (e) => e,
    );
    if (response.ok) return;
    if (tries === 1) throw new Error('CloudFormation took no answer');
    await sleep(1000);
  }
};

async function imported({ WorkspaceId: workspaceId, Endpoint, ...props }, name, left) {
  const client = new aws.GrafanaClient({});
  const ask = (command, input) => client.send(new aws[`${command}Command`]({ workspaceId, ...input }));
  const serviceAccountId = await accountOf(ask);
  const { serviceAccountToken } = await ask('CreateWorkspaceServiceAccountToken', {
    serviceAccountId,
    name,
    secondsToLive: 900,
  });
  try {
    return await imports(caller(Endpoint, serviceAccountToken.key, left), props);
  } finally {
    // Else it is over in a quarter of an hour.
    await ask('DeleteWorkspaceServiceAccountToken', { serviceAccountId, tokenId: serviceAccountToken.id }).catch(
      console.warn,
    );
  }
}

async function accountOf(ask) {
  let nextToken;
  do {
    const page = await ask('ListWorkspaceServiceAccounts', { nextToken });
    const found = page.serviceAccounts.find(({ name }) => name === account);
    if (found) return found.id;
    nextToken = page.nextToken;
  } while (nextToken);
  return (await ask('CreateWorkspaceServiceAccount', { name: account, grafanaRole: 'ADMIN' })).id;
}

// A workspace that was just made takes a while to answer.
function caller(endpoint, key, left) {
  return async (method, path, body, missing) => {
    for (let wait = 1000; ; wait = Math.min(2 * wait, 15_000)) {
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
      const signal = AbortSignal.timeout(20_000);
      const response = await fetch(endpoint + path, {
        method,
        headers,
        signal,
        redirect: 'error',
        body: JSON.stringify(body),
      }).catch((e) => e);
      const text = response.text ? await response.text().catch(String) : String(response.cause ?? response);
      if (response.ok) return JSON.parse(text);
      if (missing && response.status === 404) return undefined;
      if (((response.status ?? 500) < 500 && response.status !== 429) || left() < wait)
        throw new Error(`Grafana answers ${response.status ?? 'nothing'} to ${method} ${path}: ${text}`);
      await sleep(wait);
    }
  };
}

async function imports(call, { DataSource, Folder, Dashboard }) {
  if (DataSource) {
    const source = JSON.parse(DataSource);
    const at = `/api/datasources/uid/${source.uid}`;
    if (await call('GET', at, undefined, true)) await call('PUT', at, source);
    else await call('POST', '/api/datasources', source);
  }
  const folder = JSON.parse(Folder);
  if (!(await call('GET', `/api/folders/${folder.uid}`, undefined, true))) await call('POST', '/api/folders', folder);
  const dashboard = { ...JSON.parse(Dashboard), id: null };
  const { url } = await call('POST', '/api/dashboards/db', { dashboard, folderUid: folder.uid, overwrite: true });
  return url;
}
