// An OpenID Connect provider that we did not write, with its own pages for login and consent. It ends when its input does.
import Provider from 'oidc-provider';

const port = +process.env.PORT;
const issuer = `http://127.0.0.1:${port}`;
const users = {
  ada: { email: 'ada@corp.test', email_verified: true, name: 'Ada Byron', groups: ['everybody', 'it-admins'] },
  bob: { email: 'bob@corp.test', email_verified: true, name: 'Bob', groups: ['everybody'] },
  eve: { email: 'ada@corp.test', email_verified: false, name: 'Eve', groups: ['it-admins'] },
};
const provider = new Provider(issuer, {
  clients: [{
    client_id: 'dayone', client_secret: process.env.SECRET, redirect_uris: [process.env.REDIRECT], grant_types: ['authorization_code'],
    response_types: ['code'], token_endpoint_auth_method: 'client_secret_basic',
  }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
  scopes: ['openid', 'email', 'profile', 'groups'],
  pkce: { required: () => true },
  cookies: { keys: ['lab-only'] },
  async findAccount(ctx, id) {
    const u = users[id];
    return u && { accountId: id, async claims() { return { sub: id, ...u }; } };
  },
});
provider.listen(port, '127.0.0.1', () => console.log('ready'));
process.stdin.on('end', () => process.exit(0)).resume();
