// A SCIM 2.0 server that we did not write (npm scimmy), in memory, on a port that the system chooses and it prints. It ends
// with its standard input.
import crypto from 'node:crypto';
import express from 'express';
import SCIMMY from 'scimmy';
import SCIMMYRouters from 'scimmy-routers';

const {Error: Refusal} = SCIMMY.Types;

function store(unique) {
  const kept = new Map();
  return {
    ingress(resource, data) {
      const same = other => other.id !== resource.id && other[unique]?.toLowerCase() === data[unique]?.toLowerCase();
      if (data[unique] && [...kept.values()].some(same)) throw new Refusal(409, 'uniqueness', `${unique} is taken`);
      if (resource.id && !kept.has(resource.id)) throw new Refusal(404, null, `Resource ${resource.id} not found`);
      const id = resource.id ?? crypto.randomUUID();
      const now = new Date();
      const whole = {...data, id, meta: {created: kept.get(id)?.meta.created ?? now, lastModified: now}};
      kept.set(id, whole);
      return whole;
    },
    egress(resource) {
      if (!resource.id) return resource.filter ? resource.filter.match([...kept.values()]) : [...kept.values()];
      if (!kept.has(resource.id)) throw new Refusal(404, null, `Resource ${resource.id} not found`);
      return kept.get(resource.id);
    },
    degress(resource) {
      if (!kept.delete(resource.id)) throw new Refusal(404, null, `Resource ${resource.id} not found`);
    },
  };
}

for (const [type, unique] of [[SCIMMY.Resources.User, 'userName'], [SCIMMY.Resources.Group, 'displayName']]) {
  const s = store(unique);
  SCIMMY.Resources.declare(type).ingress(s.ingress).egress(s.egress).degress(s.degress);
}
SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser, false);
SCIMMY.Config.set({documentationUri: 'http://localhost/', patch: true, filter: {supported: true, maxResults: 200}, sort: true, etag: false});

const app = express();
app.use('/scim/v2', new SCIMMYRouters({
  type: 'bearer', docUri: 'http://localhost/',
  handler(request) {
    if (request.header('Authorization') !== `Bearer ${process.env.SCIMMY_TOKEN}`) throw new Error('the token is wrong');
    return 'tester';
  },
}));
const listening = app.listen(0, '127.0.0.1', () => console.log(`port ${listening.address().port}`));
process.stdin.resume().on('end', () => process.exit());
