// A proxy that has every signature computed once more by the vendor's own code, and passes the
// request on as it came.
//
//   node judge.js MODULES PORT KEYS      KEYS: {"ACCESS KEY ID": "SECRET", …}; prints its port
//
// GET /_judge answers [{"action", "verdict"}, …]: "ok", "unsigned", or what is wrong.  A key that
// KEYS does not have is looked up in the simulator's world.
'use strict';
const crypto = require('crypto');
const http = require('http');
const path = require('path');
const [modules, port, keys] = [process.argv[2], Number(process.argv[3]), JSON.parse(process.argv[4])];
const { OpenApiUtil } = require(path.join(modules, 'node_modules', '@alicloud/openapi-core'));
const verdicts = [];

function state() {
  return new Promise((resolve, reject) => {
    http.get({ host: '127.0.0.1', port, path: '/_cloudsim/state' }, (answer) => {
      let text = '';
      answer.on('data', (d) => (text += d)).on('end', () => resolve(JSON.parse(text)));
    }).on('error', reject);
  });
}

async function secretOf(id) {
  if (keys[id]) return keys[id];
  const own = (await state()).aliyun.credentials.find((c) => c.access_key_id === id);
  return own && own.access_key_secret;
}

async function judge(request, url, body) {
  const authorization = request.headers.authorization || '';
  if (!authorization) return 'unsigned';
  const found = /^ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})$/.exec(authorization);
  if (!found) return 'not of the form of an Authorization header';
  const [, id, list] = found;
  const hash = crypto.createHash('sha256').update(body).digest('hex');
  if (request.headers['x-acs-content-sha256'] !== hash) return 'x-acs-content-sha256 is not the body\'s';
  const names = list.split(';');
  for (const name of Object.keys(request.headers))
    if ((name === 'host' || name === 'content-type' || name.startsWith('x-acs-')) && !names.includes(name))
      return 'not signed: ' + name;
  const secret = await secretOf(id);
  if (!secret) return 'unknown key';
  const signed = Object.fromEntries(names.map((name) => [name, request.headers[name]]));
  const query = Object.fromEntries(url.searchParams);
  const want = OpenApiUtil.getAuthorization(
    { method: request.method, pathname: url.pathname, query, headers: signed }, 'ACS3-HMAC-SHA256', hash, id, secret);
  return want === authorization ? 'ok' : 'the vendor computes ' + want;
}

function pass(request, body, answer) {
  const on = http.request({ host: '127.0.0.1', port, method: request.method, path: request.url,
    headers: request.headers }, (got) => {
    answer.writeHead(got.statusCode, got.headers);
    got.pipe(answer);
  });
  on.on('error', () => answer.destroy());
  on.end(body);
}

const server = http.createServer((request, answer) => {
  const parts = [];
  request.on('data', (d) => parts.push(d)).on('end', async () => {
    const body = Buffer.concat(parts);
    const url = new URL(request.url, 'http://judge');
    if (url.pathname === '/_judge') {
      answer.end(JSON.stringify(verdicts));
      return;
    }
    if (url.pathname === '/')
      verdicts.push({ action: request.headers['x-acs-action'], verdict: await judge(request, url, body) });
    pass(request, body, answer);
  });
});
server.listen(0, '127.0.0.1', () => process.stdout.write(server.address().port + '\n'));
