// Calls of the vendor's SDK on request: one JSON object a line in, one a line out.
//
//   {"product": "vpc", "action": "describeEipAddresses", "request": {"regionId": "…"},
//    "config": {"endpoint": "127.0.0.1:PORT", "accessKeyId": "…", "accessKeySecret": "…"}}
//   {"status": 200, "body": {…}}         the parsed model, under the API's own names
//   {"code": "…", "status": 400, "message": "…"}
'use strict';
const path = require('path');
const readline = require('readline');
const modules = path.join(process.argv[2], 'node_modules');
const load = (name) => require(path.join(modules, name));
const products = {
  vpc: load('@alicloud/vpc20160428'),
  ecs: load('@alicloud/ecs20140526'),
  sts: load('@alicloud/sts20150401'),
};
const { $OpenApiUtil } = load('@alicloud/openapi-core');

async function call({ product, action, request, config }) {
  const api = products[product];
  const client = new api.default(new $OpenApiUtil.Config({ protocol: 'http', ...config }));
  const Request = api[action[0].toUpperCase() + action.slice(1) + 'Request'];
  const args = Request ? [new Request(request || {})] : [];
  const answer = await client[action](...args);
  return { status: answer.statusCode, body: answer.body.toMap() };
}

readline.createInterface({ input: process.stdin }).on('line', async (line) => {
  const { id, ...what } = JSON.parse(line);
  let result;
  try {
    result = await call(what);
  } catch (e) {
    result = { code: e.code || e.name, status: e.statusCode || 0, message: String(e.message) };
  }
  process.stdout.write(JSON.stringify({ id, ...result }) + '\n');
});
