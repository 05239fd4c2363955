// Certificates made on the fly, good and bad ones; keys live in the test's folder only.
#pragma once
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace schakel::test {

struct CertificateSpec {
  std::string name = "test";      ///< common name and file name
  std::string serial_number{};    ///< subject serialNumber: the OIN
  std::string serial_number_2{};  ///< a second one, to be ambiguous
  std::string san{};              ///< as in openssl.cnf: "DNS:localhost,IP:127.0.0.1"
  std::string eku{};              ///< "clientAuth", "serverAuth", "" for none
  std::string issuer = "root";    ///< "root", "other", "sub" (an intermediate below root) or "self"
  long from_seconds = -3600;
  long to_seconds = 24 * 3600;
  bool ca = false;
  bool rsa = false;
  int rsa_bits = 2048;
  const char* digest = "SHA256";
};

struct CertificateFiles {
  std::string certificate, key;
  std::shared_ptr<X509> x509;
  std::shared_ptr<EVP_PKEY> pkey;
};

/// Two roots that do not know each other and an intermediate below the first.
class TestPki {
 public:
  explicit TestPki(std::filesystem::path folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
    root_ = issue({.name = "root", .issuer = "self", .ca = true});
    other_ = issue({.name = "other", .issuer = "self", .ca = true});
    sub_ = issue({.name = "sub", .issuer = "root", .ca = true});
  }
  [[nodiscard]] std::string root() const { return root_.certificate; }
  [[nodiscard]] std::string other() const { return other_.certificate; }

  CertificateFiles issue(const CertificateSpec& spec) {
    std::shared_ptr<EVP_PKEY> key(spec.rsa ? EVP_RSA_gen(static_cast<unsigned>(spec.rsa_bits)) : EVP_EC_gen("P-256"),
                                  EVP_PKEY_free);
    std::shared_ptr<X509> x(X509_new(), X509_free);
    X509_set_version(x.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x.get()), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(x.get()), spec.from_seconds);
    X509_gmtime_adj(X509_getm_notAfter(x.get()), spec.to_seconds);
    X509_set_pubkey(x.get(), key.get());
    X509_NAME* subject = X509_get_subject_name(x.get());
    entry(subject, "CN", spec.name);
    if (!spec.serial_number.empty()) entry(subject, "serialNumber", spec.serial_number);
    if (!spec.serial_number_2.empty()) entry(subject, "serialNumber", spec.serial_number_2);
    const CertificateFiles* issuer = spec.issuer == "root"    ? &root_
                                     : spec.issuer == "other" ? &other_
                                     : spec.issuer == "sub"   ? &sub_
                                                              : nullptr;
    X509* signer = issuer != nullptr ? issuer->x509.get() : x.get();
    X509_set_issuer_name(x.get(), X509_get_subject_name(signer));
    extension(x.get(), signer, NID_basic_constraints, spec.ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (spec.ca) extension(x.get(), signer, NID_key_usage, "critical,keyCertSign,cRLSign");
    if (!spec.eku.empty()) extension(x.get(), signer, NID_ext_key_usage, spec.eku.c_str());
    if (!spec.san.empty()) extension(x.get(), signer, NID_subject_alt_name, spec.san.c_str());
    X509_sign(x.get(), issuer != nullptr ? issuer->pkey.get() : key.get(), EVP_get_digestbyname(spec.digest));

    CertificateFiles out{(folder_ / (spec.name + ".pem")).string(), (folder_ / (spec.name + ".key")).string(), x, key};
    write(out.certificate, [&](FILE* f) {
      PEM_write_X509(f, x.get());
      if (spec.issuer == "sub") PEM_write_X509(f, sub_.x509.get());
    });
    write(out.key, [&](FILE* f) { PEM_write_PrivateKey(f, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
    return out;
  }

  /// A list of the root with these revoked; `next_update` from now.
  std::string crl(const std::string& name, const std::vector<CertificateFiles>& revoked,
                  long next_update_seconds = 3600) {
    std::shared_ptr<X509_CRL> list(X509_CRL_new(), X509_CRL_free);
    X509_CRL_set_version(list.get(), 1);
    X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(root_.x509.get()));
    std::shared_ptr<ASN1_TIME> last(X509_gmtime_adj(nullptr, -7200), ASN1_TIME_free);
    std::shared_ptr<ASN1_TIME> next(X509_gmtime_adj(nullptr, next_update_seconds), ASN1_TIME_free);
    X509_CRL_set1_lastUpdate(list.get(), last.get());
    X509_CRL_set1_nextUpdate(list.get(), next.get());
    for (const auto& r : revoked) {
      X509_REVOKED* gone = X509_REVOKED_new();
      X509_REVOKED_set_serialNumber(gone, X509_get_serialNumber(r.x509.get()));
      X509_REVOKED_set_revocationDate(gone, last.get());
      X509_CRL_add0_revoked(list.get(), gone);
    }
    X509_CRL_sign(list.get(), root_.pkey.get(), EVP_sha256());
    const auto path = (folder_ / (name + ".crl")).string();
    write(path, [&](FILE* f) { PEM_write_X509_CRL(f, list.get()); });
    return path;
  }

 private:
  static void entry(X509_NAME* name, const char* key, const std::string& value) {
    X509_NAME_add_entry_by_txt(name, key, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.data()),
                               static_cast<int>(value.size()), -1, 0);
  }
  static void extension(X509* x, X509* signer, int nid, const char* value) {
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, signer, x, nullptr, nullptr, 0);
    X509_EXTENSION* e = X509V3_EXT_conf_nid(nullptr, &ctx, nid, value);
    if (e == nullptr) throw std::runtime_error("test pki: extension");
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
  }
  template <class F>
  static void write(const std::string& path, F fill) {
    FILE* f = std::fopen(path.c_str(), "w");
    if (f == nullptr) throw std::runtime_error("test pki: file");
    fill(f);
    std::fclose(f);
  }

  std::filesystem::path folder_;
  long serial_ = 100;
  CertificateFiles root_, other_, sub_;
};

}  // namespace schakel::test
