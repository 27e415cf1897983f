package lab

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// DirectoryServer is an LDAP server with an administrator. It keeps what it was told when it is killed.
type DirectoryServer struct {
	URL      string // ldaps://
	Plain    string // ldap://, for StartTLS
	CA       string // PEM of who signed its certificate
	Base     string
	Admin    string // who signs in
	Password string

	t     testing.TB
	begin func() func()
	kill  func()
}

// Kill ends the server as a power cut would. Start brings it back.
func (d *DirectoryServer) Kill() {
	d.t.Helper()
	d.kill()
}

// Start brings a killed server back.
func (d *DirectoryServer) Start() {
	d.t.Helper()
	d.kill = d.begin()
}

// ActiveDirectory is a domain controller of Samba.
func ActiveDirectory(t testing.TB) *DirectoryServer {
	t.Helper()
	const samba, tool = "/usr/sbin/samba", "/usr/bin/samba-tool"
	need(t, samba, tool)
	dir, ip := folder(t), freeAddress(t)
	d := &DirectoryServer{
		URL: "ldaps://" + ip + ":636", Plain: "ldap://" + ip + ":389", Base: "DC=corp,DC=test", Admin: "administrator@corp.test", Password: "Adm1n-Passw0rd", t: t,
	}
	domain := filepath.Join(dir, "domain")
	write(t, filepath.Join(dir, "empty.conf"), "[global]\n")
	out, err := exec.Command(tool, "domain", "provision", "--configfile="+filepath.Join(dir, "empty.conf"), "--realm=CORP.TEST", "--domain=CORP", "--server-role=dc",
		"--dns-backend=NONE", "--adminpass="+d.Password, "--host-name=dc1", "--host-ip=127.0.0.1", "--targetdir="+domain, "--use-rfc2307",
		"--option=interfaces=127.0.0.1/8", "--option=bind interfaces only=yes").CombinedOutput()
	if err != nil {
		t.Fatalf("making the domain: %v\n%s", err, out)
	}
	ca, cert, key := authority(t, net.ParseIP(ip))
	d.CA = ca
	tls := filepath.Join(domain, "private/tls")
	write(t, filepath.Join(tls, "my.crt"), cert)
	write(t, filepath.Join(tls, "my.ca"), ca)
	if err := os.WriteFile(filepath.Join(tls, "my.key"), []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(domain, "run"), 0o755); err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(domain, "smb.conf")
	write(t, conf, smbConf, "@DIR@", domain, "@IP@", ip)
	d.begin = func() func() {
		return start(t, []string{ip + ":636", ip + ":389"}, nil, samba, "-F", "--no-process-group", "-M", "single", "-s", conf, "--debug-stdout")
	}
	d.kill = d.begin()
	return d
}

// freeAddress is one of this machine on which nobody speaks LDAP: Samba cannot be told another port. It is this test's until
// its end, also while another process looks for one: whoever has it holds a port of it.
func freeAddress(t testing.TB) string {
	t.Helper()
	for i := 1; i < 250; i++ {
		ip := fmt.Sprintf("127.0.10.%d", i)
		mine, err := net.Listen("tcp", ip+":6366")
		if err != nil {
			continue
		}
		l, err := net.Listen("tcp", ip+":636")
		if err != nil {
			_ = mine.Close()
			continue
		}
		_ = l.Close()
		t.Cleanup(func() { _ = mine.Close() })
		return ip
	}
	t.Fatal("no address is free for a directory")
	return ""
}

const smbConf = `[global]
	realm = CORP.TEST
	workgroup = CORP
	netbios name = DC1
	server role = active directory domain controller
	server services = ldap
	interfaces = @IP@/8
	bind interfaces only = yes
	disable netbios = yes
	private dir = @DIR@/private
	state directory = @DIR@/state
	cache directory = @DIR@/cache
	lock directory = @DIR@
	pid directory = @DIR@/run
	ncalrpc dir = @DIR@/run/ncalrpc
	ntp signd socket directory = @DIR@/run/ntp_signd
	winbindd socket directory = @DIR@/run/winbindd
	log file = @DIR@/log.%m
	dns update command = /bin/true
	spn update command = /bin/true
	samba kcc command = /bin/true
	tls keyfile = @DIR@/private/tls/my.key
	tls certfile = @DIR@/private/tls/my.crt
	tls cafile = @DIR@/private/tls/my.ca
`

// OpenLDAP is a slapd with the overlays memberof and ppolicy, which locks accounts for good.
func OpenLDAP(t testing.TB) *DirectoryServer {
	t.Helper()
	const slapd = "/usr/sbin/slapd"
	need(t, slapd, "/usr/bin/ldapadd")
	dir, p := folder(t), ports(t, 2)
	d := &DirectoryServer{
		URL: "ldaps://127.0.0.1:" + p[0], Plain: "ldap://127.0.0.1:" + p[1], Base: "dc=corp,dc=test", Admin: "cn=admin,dc=corp,dc=test", Password: "admin-passw0rd", t: t,
	}
	ca, cert, key := authority(t)
	d.CA = ca
	write(t, filepath.Join(dir, "tls.crt"), cert)
	write(t, filepath.Join(dir, "tls.ca"), ca)
	if err := os.WriteFile(filepath.Join(dir, "tls.key"), []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "db"), 0o700); err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(dir, "slapd.conf")
	write(t, conf, slapdConf, "@DIR@", dir, "@BASE@", d.Base, "@ADMIN@", d.Admin, "@PASSWORD@", d.Password)
	d.begin = func() func() {
		return start(t, p, nil, slapd, "-d", "0", "-f", conf, "-h", d.URL+" "+d.Plain)
	}
	d.kill = d.begin()
	write(t, filepath.Join(dir, "first.ldif"), firstEntries, "@BASE@", d.Base)
	add := exec.Command("/usr/bin/ldapadd", "-x", "-H", d.URL, "-D", d.Admin, "-w", d.Password, "-f", filepath.Join(dir, "first.ldif"))
	add.Env = append(os.Environ(), "LDAPTLS_CACERT="+filepath.Join(dir, "tls.ca"))
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("filling the directory: %v\n%s", err, out)
	}
	return d
}

const slapdConf = `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload ppolicy
TLSCertificateFile @DIR@/tls.crt
TLSCertificateKeyFile @DIR@/tls.key
TLSCACertificateFile @DIR@/tls.ca
sizelimit size.soft=500 size.hard=unlimited size.prtotal=unlimited
database mdb
suffix "@BASE@"
rootdn "@ADMIN@"
rootpw @PASSWORD@
directory @DIR@/db
maxsize 104857600
index objectClass,uid,entryUUID,employeeNumber,mail,member eq
overlay memberof
overlay ppolicy
ppolicy_default "cn=default,@BASE@"
ppolicy_use_lockout
`

const firstEntries = `dn: @BASE@
objectClass: dcObject
objectClass: organization
o: Corp
dc: corp

dn: cn=default,@BASE@
objectClass: organizationalRole
objectClass: pwdPolicy
cn: default
pwdAttribute: userPassword
pwdLockout: TRUE
`
