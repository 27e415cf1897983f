package aws

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/identitystore/document"
	store "github.com/aws/aws-sdk-go-v2/service/identitystore/types"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	admin "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
)

// enterprise is the extension that holds what SCIM's enterprise schema does. It must be asked for by name.
const enterprise = "aws:identitystore:enterprise"

// user of https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_User.html
type user struct {
	ID, UserName, DisplayName, Title, Email, GivenName, FamilyName string
	EmployeeNumber, Department                                     string
	Disabled                                                       bool
	Created                                                        time.Time
}

// set is a permission set.
type set struct {
	ARN, Name, Description, Duration string
}

// assignment is a permission set that a user has in an account.
type assignment struct{ User, Set, Account string }

type client struct {
	httpc.Client // SCIM; its base is empty where it is not configured
	users        *identitystore.Client
	admin        *ssoadmin.Client
	store        *string
	instance     *string
}

func newClient(cfg connector.Config) (*client, error) {
	c := &client{
		Client: httpc.Client{
			System: cfg.System, Base: strings.TrimSuffix(cfg.Settings["scim_url"], "/"), HTTP: cfg.HTTP, Now: cfg.Now,
			Auth: httpc.Bearer("Bearer", cfg.Secrets["scim_token"]), Classify: classifySCIM,
		},
		store: sdk.String(cfg.Settings["identity_store_id"]), instance: sdk.String(cfg.Settings["instance_arn"]),
	}
	conf, err := configuration(cfg)
	if err != nil {
		return nil, c.Fault("reading credentials", dayone.ErrInvalid, "", err.Error())
	}
	if base := cfg.Settings["url"]; base != "" {
		conf.BaseEndpoint = sdk.String(base)
	}
	c.users, c.admin = identitystore.NewFromConfig(conf), ssoadmin.NewFromConfig(conf)
	return c, nil
}

// configuration has the keys that are given or, with none, what the machine offers; asking for those is the SDK's business
// and goes by its own client. Retries are the engine's.
func configuration(cfg connector.Config) (sdk.Config, error) {
	once := func() sdk.Retryer { return sdk.NopRetryer{} }
	id, secret := cfg.Secrets["access_key_id"], cfg.Secrets["secret_access_key"]
	if !id.IsZero() || !secret.IsZero() {
		return sdk.Config{
			Region: cfg.Settings["region"], HTTPClient: cfg.HTTP, Retryer: once,
			Credentials: credentials.NewStaticCredentialsProvider(id.Reveal(), secret.Reveal(), ""),
		}, nil
	}
	conf, err := config.LoadDefaultConfig(context.Background(), config.WithRegion(cfg.Settings["region"]), config.WithRetryer(once))
	if err != nil {
		return conf, err
	}
	chain := conf.Credentials
	conf.HTTPClient, conf.Credentials = cfg.HTTP, sdk.NewCredentialsCache(sdk.CredentialsProviderFunc(func(ctx context.Context) (sdk.Credentials, error) {
		found, err := chain.Retrieve(ctx)
		if err != nil && ctx.Err() == nil {
			err = &dayone.Fault{Err: dayone.ErrAuth, Detail: err.Error(), Next: "set access_key_id and secret_access_key, or give the machine a role"}
		}
		return found, err
	}))
	return conf, nil
}

// kinds are the API's errors by their code; the status is 400 for most of them.
// https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/CommonErrors.html
var kinds = map[string]error{
	"ConflictException":                   dayone.ErrConflict,
	"ResourceNotFoundException":           dayone.ErrNotFound,
	"ValidationException":                 dayone.ErrInvalid,
	"AccessDeniedException":               dayone.ErrForbidden,
	"ServiceQuotaExceededException":       dayone.ErrNoSeat,
	"ThrottlingException":                 dayone.ErrThrottled,
	"TooManyRequestsException":            dayone.ErrThrottled,
	"InternalServerException":             dayone.ErrUnavailable,
	"InternalFailure":                     dayone.ErrUnavailable,
	"ServiceUnavailable":                  dayone.ErrUnavailable,
	"UnrecognizedClientException":         dayone.ErrAuth,
	"InvalidClientTokenId":                dayone.ErrAuth,
	"InvalidSignatureException":           dayone.ErrAuth,
	"IncompleteSignature":                 dayone.ErrAuth,
	"MissingAuthenticationToken":          dayone.ErrAuth,
	"MissingAuthenticationTokenException": dayone.ErrAuth,
	"ExpiredTokenException":               dayone.ErrAuth,
	"OptInRequired":                       dayone.ErrAuth,
}

// fault makes an error of the SDK one of ours: by its code, else by its status; without an answer nobody knows what happened.
func (c *client) fault(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	var ours *dayone.Fault // the limiter's, or that there are no credentials
	if errors.As(err, &ours) {
		f := *ours
		f.System, f.Op = c.System, op
		return &f
	}
	f := &dayone.Fault{System: c.System, Op: op, Err: dayone.ErrUnavailable}
	var resp *smithyhttp.ResponseError
	answered := errors.As(err, &resp) && resp.Response != nil
	if answered && resp.HTTPStatusCode() >= 300 {
		f.Err = httpc.KindOf(resp.HTTPStatusCode())
	}
	var api smithy.APIError
	var sent *url.Error
	switch {
	case errors.As(err, &api):
		f.Code, f.Detail = api.ErrorCode(), api.ErrorMessage()
		if kind := kinds[f.Code]; kind != nil {
			f.Err = kind
		}
	case answered:
		f.Code, f.Detail = resp.Response.Status, "the answer is no JSON that we understand"
	case errors.As(err, &sent):
		f.Detail = sent.Err.Error() // without the address
	default:
		f.Detail = err.Error()
	}
	var here *store.ConflictException
	var there *admin.ConflictException
	if errors.As(err, &here) && here.Reason == store.ConflictExceptionReasonConcurrentModification || errors.As(err, &there) {
		f.Err = dayone.ErrNotYet // an earlier write is still under way
	}
	if errors.Is(f, dayone.ErrThrottled) && answered {
		f.RetryAt = connector.RetryAt(resp.Response.Header, c.Now())
	}
	var slow *store.ThrottlingException
	if errors.As(err, &slow) && slow.RetryAfterSeconds > 0 {
		f.RetryAt = c.Now().Add(time.Duration(slow.RetryAfterSeconds) * time.Second)
	}
	return f
}

// instances are the pairs of instance and directory that we may see.
// https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_ListInstances.html
func (c *client) instances(ctx context.Context, each func(instance, store string)) error {
	pages := ssoadmin.NewListInstancesPaginator(c.admin, &ssoadmin.ListInstancesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return c.fault(ctx, "listing instances", err)
		}
		for _, x := range page.Instances {
			each(sdk.ToString(x.InstanceArn), sdk.ToString(x.IdentityStoreId))
		}
	}
	return nil
}

// getUser reads by id. https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_DescribeUser.html
func (c *client) getUser(ctx context.Context, id string) (user, error) {
	out, err := c.users.DescribeUser(ctx, &identitystore.DescribeUserInput{IdentityStoreId: c.store, UserId: &id, Extensions: []string{enterprise}})
	if err != nil {
		return user{}, c.fault(ctx, "reading user", err)
	}
	return c.user(store.User{
		UserId: out.UserId, UserName: out.UserName, DisplayName: out.DisplayName, Title: out.Title, Emails: out.Emails, Name: out.Name,
		Extensions: out.Extensions, UserStatus: out.UserStatus, CreatedAt: out.CreatedAt,
	})
}

func (c *client) user(x store.User) (user, error) {
	u := user{
		ID: sdk.ToString(x.UserId), UserName: sdk.ToString(x.UserName), DisplayName: sdk.ToString(x.DisplayName), Title: sdk.ToString(x.Title),
		Disabled: x.UserStatus == store.UserStatusDisabled, Created: sdk.ToTime(x.CreatedAt),
	}
	if len(x.Emails) > 0 { // there is at most one
		u.Email = sdk.ToString(x.Emails[0].Value)
	}
	if x.Name != nil {
		u.GivenName, u.FamilyName = sdk.ToString(x.Name.GivenName), sdk.ToString(x.Name.FamilyName)
	}
	if doc := x.Extensions[enterprise]; doc != nil {
		var more map[string]any
		if err := doc.UnmarshalSmithyDocument(&more); err != nil {
			return user{}, c.Fault("reading user", dayone.ErrUnavailable, "", "the enterprise extension is not what we understand: "+err.Error())
		}
		u.EmployeeNumber, _ = more["employeeNumber"].(string)
		u.Department, _ = more["department"].(string)
	}
	return u, nil
}

// userID finds by userName or emails.value; there is no other path.
// https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_GetUserId.html
func (c *client) userID(ctx context.Context, path, value string) (string, error) {
	out, err := c.users.GetUserId(ctx, &identitystore.GetUserIdInput{IdentityStoreId: c.store, AlternateIdentifier: &store.AlternateIdentifierMemberUniqueAttribute{
		Value: store.UniqueAttribute{AttributePath: &path, AttributeValue: document.NewLazyDocument(value)},
	}})
	if err != nil {
		return "", c.fault(ctx, "finding user", err)
	}
	return sdk.ToString(out.UserId), nil
}

// listUsers goes through everybody. https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_ListUsers.html
func (c *client) listUsers(ctx context.Context, each func(user) bool) error {
	pages := identitystore.NewListUsersPaginator(c.users, &identitystore.ListUsersInput{IdentityStoreId: c.store, Extensions: []string{enterprise}, MaxResults: sdk.Int32(100)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return c.fault(ctx, "listing users", err)
		}
		for _, x := range page.Users {
			u, err := c.user(x)
			if err != nil {
				return err
			}
			if !each(u) {
				return nil
			}
		}
	}
	return nil
}

// createUser answers only the id. An empty text is refused, so it is not sent.
// https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_CreateUser.html
func (c *client) createUser(ctx context.Context, u user) (string, error) {
	said := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	in := &identitystore.CreateUserInput{
		IdentityStoreId: c.store, UserName: said(u.UserName), DisplayName: said(u.DisplayName), Title: said(u.Title),
		Name: &store.Name{GivenName: said(u.GivenName), FamilyName: said(u.FamilyName)},
	}
	if u.Email != "" {
		in.Emails = []store.Email{{Value: &u.Email, Type: sdk.String("work"), Primary: true}}
	}
	more := map[string]string{}
	if u.EmployeeNumber != "" {
		more["employeeNumber"] = u.EmployeeNumber
	}
	if u.Department != "" {
		more["department"] = u.Department
	}
	if len(more) > 0 {
		in.Extensions = map[string]document.Interface{enterprise: document.NewLazyDocument(more)}
	}
	out, err := c.users.CreateUser(ctx, in)
	if err != nil {
		return "", c.fault(ctx, "creating user", err)
	}
	return sdk.ToString(out.UserId), nil
}

// updateUser sets attributes by their paths; nil takes one away. A list is replaced whole, in the names that JSON has there.
// https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_UpdateUser.html
func (c *client) updateUser(ctx context.Context, id string, paths []string, values []any) error {
	in := &identitystore.UpdateUserInput{IdentityStoreId: c.store, UserId: &id}
	for i, path := range paths {
		in.Operations = append(in.Operations, store.AttributeOperation{AttributePath: &path, AttributeValue: document.NewLazyDocument(values[i])})
	}
	_, err := c.users.UpdateUser(ctx, in)
	return c.fault(ctx, "updating user", err)
}

// deleteUser is at once and for good. https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_DeleteUser.html
func (c *client) deleteUser(ctx context.Context, id string) error {
	_, err := c.users.DeleteUser(ctx, &identitystore.DeleteUserInput{IdentityStoreId: c.store, UserId: &id})
	return c.fault(ctx, "deleting user", err)
}

// classifySCIM reads {"schemas":["...:Error"],"detail":"...","status":"404"}: the status decides.
func classifySCIM(_ int, _ http.Header, body []byte) (string, string, error) {
	var e struct {
		Detail string `json:"detail"`
	}
	_ = json.Unmarshal(body, &e) // what is no JSON has no detail
	return "", e.Detail, nil
}

// scimConfig says whether SCIM lets us in. https://docs.aws.amazon.com/singlesignon/latest/developerguide/serviceproviderconfig.html
func (c *client) scimConfig(ctx context.Context) error {
	_, err := c.Do(ctx, httpc.Request{Op: "reading SCIM configuration", Method: "GET", Path: "/ServiceProviderConfig"}, nil)
	return err
}

// setActive is the one thing that only SCIM can do. https://docs.aws.amazon.com/singlesignon/latest/developerguide/patchuser.html
func (c *client) setActive(ctx context.Context, id string, active bool) error {
	_, err := c.Do(ctx, httpc.Request{Op: "changing state of user", Method: "PATCH", Path: "/Users/" + url.PathEscape(id), Type: "application/scim+json", JSON: map[string]any{
		"schemas":    []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
		"Operations": []any{map[string]any{"op": "replace", "path": "active", "value": active}},
	}}, nil)
	return err
}

// listSets lists ids only; describeSet tells the rest. https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_ListPermissionSets.html
func (c *client) listSets(ctx context.Context, each func(arn string) bool) error {
	pages := ssoadmin.NewListPermissionSetsPaginator(c.admin, &ssoadmin.ListPermissionSetsInput{InstanceArn: c.instance, MaxResults: sdk.Int32(100)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return c.fault(ctx, "listing permission sets", err)
		}
		for _, arn := range page.PermissionSets {
			if !each(arn) {
				return nil
			}
		}
	}
	return nil
}

// describeSet reads one. https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_DescribePermissionSet.html
func (c *client) describeSet(ctx context.Context, arn string) (set, error) {
	out, err := c.admin.DescribePermissionSet(ctx, &ssoadmin.DescribePermissionSetInput{InstanceArn: c.instance, PermissionSetArn: &arn})
	if err != nil {
		return set{}, c.fault(ctx, "reading permission set", err)
	}
	if out.PermissionSet == nil {
		return set{}, c.Fault("reading permission set", dayone.ErrUnavailable, "", "the answer is empty")
	}
	p := out.PermissionSet
	return set{ARN: arn, Name: sdk.ToString(p.Name), Description: sdk.ToString(p.Description), Duration: sdk.ToString(p.SessionDuration)}, nil
}

// listAssignments lists those of a user, without those that come by a group.
// https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_ListAccountAssignmentsForPrincipal.html
func (c *client) listAssignments(ctx context.Context, user string) ([]assignment, error) {
	pages := ssoadmin.NewListAccountAssignmentsForPrincipalPaginator(c.admin, &ssoadmin.ListAccountAssignmentsForPrincipalInput{
		InstanceArn: c.instance, PrincipalId: &user, PrincipalType: admin.PrincipalTypeUser, MaxResults: sdk.Int32(100),
	})
	var out []assignment
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, c.fault(ctx, "listing assignments", err)
		}
		for _, x := range page.AccountAssignments {
			if x.PrincipalType == admin.PrincipalTypeUser && sdk.ToString(x.PrincipalId) == user {
				out = append(out, assignment{user, sdk.ToString(x.PermissionSetArn), sdk.ToString(x.AccountId)})
			}
		}
	}
	return out, nil
}

// outcome of an assignment or removal, as far as it has got.
type outcome struct {
	assignment
	Failed bool
	Reason string
}

func outcomeOf(x *admin.AccountAssignmentOperationStatus) outcome {
	if x == nil {
		return outcome{}
	}
	return outcome{
		assignment: assignment{sdk.ToString(x.PrincipalId), sdk.ToString(x.PermissionSetArn), sdk.ToString(x.TargetId)},
		Failed:     x.Status == admin.StatusValuesFailed, Reason: sdk.ToString(x.FailureReason),
	}
}

// assign begins to give an access; it is there when listAssignments shows it.
// https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CreateAccountAssignment.html
func (c *client) assign(ctx context.Context, a assignment) (outcome, error) {
	out, err := c.admin.CreateAccountAssignment(ctx, &ssoadmin.CreateAccountAssignmentInput{
		InstanceArn: c.instance, PermissionSetArn: &a.Set, PrincipalId: &a.User, PrincipalType: admin.PrincipalTypeUser, TargetId: &a.Account, TargetType: admin.TargetTypeAwsAccount,
	})
	if err != nil {
		return outcome{}, c.fault(ctx, "assigning permission set", err)
	}
	return outcomeOf(out.AccountAssignmentCreationStatus), nil
}

// unassign begins to take it. https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_DeleteAccountAssignment.html
func (c *client) unassign(ctx context.Context, a assignment) (outcome, error) {
	out, err := c.admin.DeleteAccountAssignment(ctx, &ssoadmin.DeleteAccountAssignmentInput{
		InstanceArn: c.instance, PermissionSetArn: &a.Set, PrincipalId: &a.User, PrincipalType: admin.PrincipalTypeUser, TargetId: &a.Account, TargetType: admin.TargetTypeAwsAccount,
	})
	if err != nil {
		return outcome{}, c.fault(ctx, "removing permission set", err)
	}
	return outcomeOf(out.AccountAssignmentDeletionStatus), nil
}

// failedAssigns are the assignments that failed since an instant. The list has only ids: each is read.
// https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_ListAccountAssignmentCreationStatus.html
// https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_DescribeAccountAssignmentCreationStatus.html
func (c *client) failedAssigns(ctx context.Context, since time.Time) ([]outcome, error) {
	const op = "reading failed assignments"
	pages := ssoadmin.NewListAccountAssignmentCreationStatusPaginator(c.admin, &ssoadmin.ListAccountAssignmentCreationStatusInput{
		InstanceArn: c.instance, Filter: &admin.OperationStatusFilter{Status: admin.StatusValuesFailed}, MaxResults: sdk.Int32(100),
	})
	var all []outcome
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, c.fault(ctx, op, err)
		}
		for _, x := range page.AccountAssignmentsCreationStatus {
			if sdk.ToTime(x.CreatedDate).Before(since) {
				continue
			}
			out, err := c.admin.DescribeAccountAssignmentCreationStatus(ctx, &ssoadmin.DescribeAccountAssignmentCreationStatusInput{
				InstanceArn: c.instance, AccountAssignmentCreationRequestId: x.RequestId,
			})
			if err != nil {
				return nil, c.fault(ctx, op, err)
			}
			all = append(all, outcomeOf(out.AccountAssignmentCreationStatus))
		}
	}
	return all, nil
}

// failedUnassigns are the same for removals.
// https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_ListAccountAssignmentDeletionStatus.html
// https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_DescribeAccountAssignmentDeletionStatus.html
func (c *client) failedUnassigns(ctx context.Context, since time.Time) ([]outcome, error) {
	const op = "reading failed removals"
	pages := ssoadmin.NewListAccountAssignmentDeletionStatusPaginator(c.admin, &ssoadmin.ListAccountAssignmentDeletionStatusInput{
		InstanceArn: c.instance, Filter: &admin.OperationStatusFilter{Status: admin.StatusValuesFailed}, MaxResults: sdk.Int32(100),
	})
	var all []outcome
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, c.fault(ctx, op, err)
		}
		for _, x := range page.AccountAssignmentsDeletionStatus {
			if sdk.ToTime(x.CreatedDate).Before(since) {
				continue
			}
			out, err := c.admin.DescribeAccountAssignmentDeletionStatus(ctx, &ssoadmin.DescribeAccountAssignmentDeletionStatusInput{
				InstanceArn: c.instance, AccountAssignmentDeletionRequestId: x.RequestId,
			})
			if err != nil {
				return nil, c.fault(ctx, op, err)
			}
			all = append(all, outcomeOf(out.AccountAssignmentDeletionStatus))
		}
	}
	return all, nil
}
