package unity

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
)

// cluster is the Unified CM cluster that is to have the same PINs, where nobody but us keeps them alike: as much of AXL as a PIN
// needs. It writes one PIN at a time, and nothing else of a user.
// https://developer.cisco.com/docs/axl/ (updateUser)
type cluster struct {
	httpc.Client
	version string
	zone    *time.Location
	writer  chan struct{}
}

type axlOperation struct{}

// newCluster is the one that settings name; nil: they name none.
func newCluster(cfg connector.Config, zone *time.Location) (*cluster, error) {
	url, user, password := cfg.Settings["cluster_url"], cfg.Settings["cluster_user"], cfg.Secrets["cluster_password"]
	switch {
	case url == "":
		return nil, nil
	case cfg.Settings["pin_sync"] != "dayone":
		return nil, &connector.SettingError{Setting: "cluster_url", Text: "setting cluster_url names a cluster, and pin_sync does not say that its PINs are ours to write", Hint: "pin_sync: dayone, or take it out"}
	case user == "" || password.IsZero():
		return nil, &connector.SettingError{Setting: "cluster_user", Text: "setting cluster_url needs cluster_user and cluster_password", Hint: `an application user in a group with the role "Standard AXL API Access"`}
	}
	c := &cluster{version: cfg.Settings["cluster_version"], zone: zone, writer: make(chan struct{}, 1)}
	c.Client = httpc.Client{System: cfg.System, Base: strings.TrimSuffix(url, "/"), HTTP: cfg.HTTP, Now: cfg.Now, Classify: axlFault}
	c.Auth = func(ctx context.Context, r *http.Request) error {
		r.SetBasicAuth(user, password.Reveal())
		if op, ok := ctx.Value(axlOperation{}).(string); ok {
			r.Header.Set("SOAPAction", `"CUCM:DB ver=`+c.version+" "+op+`"`)
		}
		return nil
	}
	return c, nil
}

// axlFault reads a SOAP fault: data errors come as 500.
func axlFault(_ int, _ http.Header, body []byte) (code, detail string, kind error) {
	var f struct {
		Code    string `xml:"Body>Fault>detail>axlError>axlcode"`
		Message string `xml:"Body>Fault>detail>axlError>axlmessage"`
	}
	if xml.Unmarshal(body, &f) != nil || f.Code == "" {
		return "", "", nil
	}
	if f.Code == "5007" || f.Code == "5003" {
		return f.Code, f.Message, dayone.ErrNotFound
	}
	return f.Code, f.Message, dayone.ErrInvalid
}

func (c *cluster) call(ctx context.Context, doing, op, args string, out any) (http.Header, error) {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:axl="http://www.cisco.com/AXL/API/` + c.version + `"><soapenv:Header/><soapenv:Body><axl:` + op + `>` + args + `</axl:` + op + `></soapenv:Body></soapenv:Envelope>`)
	a, err := c.Do(context.WithValue(ctx, axlOperation{}, op), httpc.Request{Op: doing, Method: "POST", Path: "/axl/", Type: "text/xml; charset=utf-8", Accept: "text/xml", Body: b.Bytes()}, nil)
	if err != nil {
		return nil, err
	}
	if err := xml.Unmarshal(a.Body, out); err != nil {
		return nil, c.Fault(doing, dayone.ErrUnavailable, "", "the cluster's answer is no XML that we understand")
	}
	return a.Header, nil
}

func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a builder takes everything
	return b.String()
}

// pinChanged is when a user's PIN was changed last, by our clock; zero: it never was, or the cluster does not say it in words that
// we know.
func (c *cluster) pinChanged(ctx context.Context, login string) (time.Time, error) {
	var u struct {
		ID string `xml:"Body>getUserResponse>return>user>userid"`
		At string `xml:"Body>getUserResponse>return>user>pinCredentials>pinCredTimeChanged"`
	}
	header, err := c.call(ctx, "reading the cluster's user", "getUser", "<userid>"+escaped(login)+"</userid>", &u)
	if err != nil {
		return time.Time{}, err
	}
	if u.ID == "" {
		return time.Time{}, c.Fault("reading the cluster's user", dayone.ErrUnavailable, "", "the answer holds none")
	}
	text, zone := u.At, c.zone
	if i := strings.LastIndexByte(text, ' '); i > 0 { // the zone's short name says of few zones which one it is
		if name := text[i+1:]; name == "UTC" || name == "GMT" {
			zone = time.UTC
		}
		text = text[:i]
	}
	at, err := time.ParseInLocation("January 2, 2006 15:04:05", text, zone)
	if err != nil {
		return time.Time{}, nil
	}
	if now, err := http.ParseTime(header.Get("Date")); err == nil {
		at = at.Add(c.Now().Sub(now))
	}
	return at, nil
}

// setPIN sets a user's PIN. Whether the user may use it is left as it is. Somebody who retries does not set it again where it
// arrived: the history of PINs would refuse it.
func (c *cluster) setPIN(ctx context.Context, a dayone.Act, login string, pin dayone.Secret, mustChange bool) error {
	select {
	case c.writer <- struct{}{}:
		defer func() { <-c.writer }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if a.Attempt > 1 {
		at, err := c.pinChanged(ctx, login)
		if err != nil {
			return err
		}
		if !at.IsZero() && !at.Before(a.Since.Add(-slack)) {
			return nil
		}
	}
	args := "<userid>" + escaped(login) + "</userid><pin>" + escaped(pin.Reveal()) + "</pin><pinCredentials><pinCredUserMustChange>" + strconv.FormatBool(mustChange) + "</pinCredUserMustChange><pinResetHackCount>true</pinResetHackCount></pinCredentials>"
	_, err := c.call(ctx, "setting the cluster's PIN", "updateUser", args, &struct{}{})
	return err
}

// setCluster has the cluster take the same PIN before the server does: the server's policy was read, the cluster's cannot be.
func (k secrets) setCluster(ctx context.Context, a dayone.Act, login string) error {
	err := k.cluster.setPIN(ctx, a, login, a.Secrets[k.door], k.mustChange)
	switch {
	case errors.Is(err, dayone.ErrNotFound):
		return k.advise(err, "the cluster has no end user with the mailbox's alias; give them an account there first. No PIN was changed")
	case errors.Is(err, dayone.ErrInvalid):
		return k.advise(err, "the cluster refused this PIN (see its credential policy and the setting pin_digits), and voice mail has the one of before, too; renew it: dayone people renew")
	}
	return err
}
